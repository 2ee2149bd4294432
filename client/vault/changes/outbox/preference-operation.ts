import * as v from 'valibot';
import { maximumPreferenceLength, preferenceContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { idField, timeMsField } from '../../../../crypto/protocol/messages/fields.ts';
import { VaultError } from '../../failures/vault-error.ts';
import { type Clock, laterThan } from '../../surroundings/clock.ts';
import { operationType } from '../operations/operation.ts';
import type { Outbox } from './outbox.ts';
import type { ShownContents } from './shown-contents.ts';
import { newId } from '../../surroundings/new-id.ts';

/** Sets one small thing of the account. */
export const preferenceOperation = operationType({
  kind: 'preference',
  fields: {
    name: preferenceContent.entries.name,
    value: v.pipe(v.string(), v.maxLength(maximumPreferenceLength)),
    setAtMs: timeMsField,
    /** The id for its item, if the account has no preference of this name yet. */
    itemId: idField,
  },
  idOf: ({ name }) => `preference:${name}`,
  preference: ({ itemId, name, value, setAtMs }) => ({
    itemId,
    content: { type: 'preference', format: 1, name, value, setAtMs },
  }),
});

/**
 * Sets a preference.
 *
 * @throws {VaultError} `preference-too-long`.
 */
export async function setPreference(
  { outbox, shown, clock }: { readonly outbox: Outbox; readonly shown: ShownContents; readonly clock: Clock },
  name: string,
  value: string,
): Promise<void> {
  if (value.length > maximumPreferenceLength) throw new VaultError('preference-too-long');
  const setAtMs = laterThan(clock, [shown.preference(name)?.setAtMs ?? 0]);
  await outbox.put(preferenceOperation, { name, value, setAtMs, itemId: newId() });
}
