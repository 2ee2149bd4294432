import { openCommitted, sealCommitted, type SealPlace } from '../primitives/committed-seal.ts';
import { Fields, header, join, lp, readHeader, u32, type Bytes } from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';

export type AccountKeyOfEpoch = { epoch: number; accountKey: Bytes };
/** These open an account's bodies: its id, and the key of each epoch, the current one last. */
export type Keyring = { accountId: Bytes; keys: readonly AccountKeyOfEpoch[] };

const longestBody = 7290;
const longestCount = 200;

const placeOf = (accountKey: Bytes, accountId: Bytes, sealedHeader: Bytes): SealPlace => ({
  key: accountKey,
  info: lp('sotto/v1/keyring', accountId),
  associatedData: lp(sealedHeader, accountId),
});

export const currentKey = ({ keys }: Keyring): AccountKeyOfEpoch => keys.at(-1) ?? refuse('invalid-argument');

/** The key that a header's epoch names. */
export const keyOfEpoch = ({ keys }: Keyring, epoch: number): Bytes =>
  (keys.find((key) => key.epoch === epoch) ?? refuse('unknown-key')).accountKey;

/** Earlier keys under the current one (SPEC.md §4.4). */
export function sealKeyring(keyring: Keyring, salt: Bytes): Bytes {
  const current = currentKey(keyring);
  const earlier = keyring.keys.slice(0, -1);
  if (earlier.length === 0 || earlier.length > longestCount) refuse('invalid-argument');
  const sealedHeader = header(current.epoch);
  const entries = earlier.flatMap(({ epoch, accountKey }) => [u32(epoch), accountKey]);
  const plaintext = join(u32(earlier.length), ...entries);
  return join(
    sealedHeader,
    sealCommitted(placeOf(current.accountKey, keyring.accountId, sealedHeader), plaintext, salt),
  );
}

/** `body` is null where the relay has none, which only epoch 1 allows (SPEC.md §4.4). */
export function openKeyring(accountId: Bytes, current: AccountKeyOfEpoch, body: Bytes | null): Keyring {
  if (body === null) return current.epoch === 1 ? { accountId, keys: [current] } : refuse('open-failed');
  const { header: sealedHeader, epoch, rest } = readHeader(body);
  if (body.length > longestBody) refuse('malformed');
  if (epoch !== current.epoch) refuse('open-failed');
  const fields = new Fields(openCommitted(placeOf(current.accountKey, accountId, sealedHeader), rest));
  const count = fields.integer(4);
  if (count === 0 || count > longestCount || fields.left !== 36 * count) refuse('malformed');
  const earlier = Array.from({ length: count }, () => ({ epoch: fields.integer(4), accountKey: fields.bytes(32) }));
  const keys = [...earlier, current];
  const isRising = keys.every((key, index) => key.epoch > (keys[index - 1]?.epoch ?? 0));
  return isRising ? { accountId, keys } : refuse('malformed');
}
