import {
  Fields,
  header,
  hmacSha256,
  isEqual,
  join,
  lp,
  readHeader,
  u32,
  u8,
  type Bytes,
} from '../protocol/conventions.ts';
import { keyslotKinds, type KeyslotKind } from './keys.ts';
import { refuse } from '../protocol/refusal.ts';

export type ListedKeyslot = { slotId: Bytes; kind: KeyslotKind; generation: number; digest: Bytes };

const macLength = 32;
const entryLength = 53;

const macOf = (key: Bytes, list: Bytes): Bytes => hmacSha256(key, lp('sotto/v1/keyslot-list', list));

/** All ways into an account under its MAC (SPEC.md §4.3). */
export function sealKeyslotList(key: Bytes, epoch: number, slots: readonly ListedKeyslot[]): Bytes {
  if (slots.length === 0 || slots.length > 16) refuse('invalid-argument');
  const entries = slots
    .toSorted((a, b) => Buffer.compare(a.slotId, b.slotId))
    .flatMap(({ slotId, kind, generation, digest }) => [
      slotId,
      u8(keyslotKinds.indexOf(kind) + 1),
      u32(generation),
      digest,
    ]);
  const list = join(header(epoch), u8(slots.length), ...entries);
  return join(list, macOf(key, list));
}

/** Length first, then the MAC, then the entries (SPEC.md §4.3). */
export function openKeyslotList(key: Bytes, body: Bytes): { epoch: number; slots: ListedKeyslot[] } {
  const { epoch, rest } = readHeader(body);
  const fields = new Fields(rest);
  const count = fields.integer(1);
  if (count === 0 || count > 16 || fields.left !== count * entryLength + macLength) refuse('malformed');
  const list = body.slice(0, -macLength);
  if (!isEqual(macOf(key, list), body.slice(-macLength))) refuse('open-failed');
  const slots = Array.from({ length: count }, () => readEntry(fields));
  const isRising = slots.every((slot, index) => {
    const before = slots[index - 1];
    return before === undefined || Buffer.compare(before.slotId, slot.slotId) < 0;
  });
  return isRising ? { epoch, slots } : refuse('malformed');
}

function readEntry(fields: Fields): ListedKeyslot {
  const slotId = fields.bytes(16);
  const kind = keyslotKinds[fields.integer(1) - 1] ?? refuse('malformed');
  const generation = fields.integer(4);
  if (generation === 0) refuse('malformed');
  return { slotId, kind, generation, digest: fields.bytes(32) };
}
