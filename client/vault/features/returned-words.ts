import type { ReturnedWords } from '../changes/outbox/outbox.ts';
import { feature, type FeatureVault } from './feature.ts';

/** Words that were never sent, and whose conversation was deleted meanwhile: they wait for a draft, oldest first. */
export const returnedWords = feature({
  views: {
    returned: ({ outbox }: FeatureVault): readonly ReturnedWords[] =>
      outbox.returned.map(({ operation: { turnId, text } }) => ({ turnId, text })),
  },
});
