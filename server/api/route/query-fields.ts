import * as v from 'valibot';
import { countField } from '../../../crypto/protocol/messages/fields.ts';

/** A whole number as it stands in a query. */
export function countText(max?: number) {
  return v.pipe(v.string(), v.maxLength(16), v.regex(/^(0|[1-9][0-9]*)$/), v.toNumber(), countField(max));
}

/** How many entries a page may have; the most when it is left out. */
export function limitText(max: number) {
  return v.optional(v.pipe(countText(max), v.minValue(1)), String(max));
}
