import { preferenceOperation } from '../changes/outbox/preference-operation.ts';
import { feature } from './feature.ts';

/** The one operation of all small features: each keeps a preference of its own name (SPEC.md §5.1). */
export const preferences = feature({ operations: [preferenceOperation] });
