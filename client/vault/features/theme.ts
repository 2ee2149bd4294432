import * as v from 'valibot';
import { idField, timeMsField } from '../../../crypto/protocol/messages/fields.ts';
import { operationType } from '../changes/operations/operation.ts';
import { withTheme } from '../items/settings.ts';
import { feature, type FeatureVault } from './feature.ts';
import { newId } from '../surroundings/new-id.ts';
import { laterThan } from '../surroundings/clock.ts';

export type Theme = 'system' | 'light' | 'dark';

const themeOperation = operationType({
  kind: 'theme',
  fields: { theme: v.picklist(['system', 'light', 'dark']), setAtMs: timeMsField, itemId: idField },
  settings: ({ theme: value, setAtMs, itemId }) => ({
    itemId,
    change: (newest) => withTheme(newest, { value, setAtMs }),
  }),
});

/** Light or dark, on every device of the account. */
export const theme = feature({
  operations: [themeOperation],
  commands: ({ outbox, shown, clock }: FeatureVault) => ({
    setTheme: async (input: { readonly theme: Theme }): Promise<void> => {
      const setAtMs = laterThan(clock, [shown.settings().theme?.setAtMs ?? 0]);
      await outbox.put(themeOperation, { theme: input.theme, setAtMs, itemId: newId() });
    },
  }),
  views: { theme: ({ shown }: FeatureVault): Theme => shown.settings().theme?.value ?? 'system' },
});
