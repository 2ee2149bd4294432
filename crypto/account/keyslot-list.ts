import type { KeyslotKind } from '../protocol/messages/account-messages.ts';
import { type Bytes, compareBytes, concat, equalBytes, readUint32, uint32 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { hmacSha256, labelled, sha256 } from '../protocol/bytes/hash.ts';
import { decodeSealedHeader, encodeSealedHeader } from '../primitives/sealed-header.ts';
import type { Secret } from '../protocol/bytes/secret.ts';

/** One way into the account, as the account itself knows it. */
export type ListedKeyslot = {
  readonly slotId: Bytes;
  readonly kind: KeyslotKind;
  readonly generation: number;
  /** `digestKeyslot` of its body. */
  readonly digest: Bytes;
};
export type KeyslotList = { readonly epoch: number; readonly slots: readonly ListedKeyslot[] };

export const maximumKeyslots = 16;
/** Byte 5 was of a kind that nobody ever wrote; a list that names it is refused like one of any unknown byte. */
const kindBytes = { password: 1, recovery: 2, passkey: 3, device: 4 } as const satisfies Record<KeyslotKind, number>;
const kindsByByte = new Map((Object.keys(kindBytes) as KeyslotKind[]).map((kind) => [kindBytes[kind] as number, kind]));
const entryLength = 16 + 1 + 4 + 32;
const macLength = 32;

function macOf(listKey: Secret<'KeyslotListKey'>, list: Uint8Array): Bytes {
  return hmacSha256(listKey.expose(), labelled('sotto/v1/keyslot-list', list));
}

/** SHA-256 of a keyslot's body, as the list names it. */
export function digestKeyslot(body: Uint8Array): Bytes {
  return sha256(body);
}

/** SHA-256 of a list's body, as the vault head names it. */
export function digestKeyslotList(body: Uint8Array): Bytes {
  return sha256(body);
}

/**
 * Writes the list of all ways into an account under the account's own MAC (SPEC.md §4.3).
 *
 * @param input.slots - 1 to 16, in any order.
 * @returns `header (6) || count (1) || count × { slot id (16) || kind (1) || generation (4) || digest (32) } || MAC (32)`.
 * @throws {CryptoError} `invalid-argument`.
 */
export function encodeKeyslotList(input: {
  readonly listKey: Secret<'KeyslotListKey'>;
  readonly epoch: number;
  readonly slots: readonly ListedKeyslot[];
}): Bytes {
  const slots = input.slots.toSorted((a, b) => compareBytes(a.slotId, b.slotId));
  if (slots.length === 0 || slots.length > maximumKeyslots) throw new CryptoError('invalid-argument');
  const entries = slots.map((slot, place) => {
    const before = slots[place - 1];
    const repeated = before !== undefined && equalBytes(before.slotId, slot.slotId);
    if (repeated || slot.slotId.length !== 16 || slot.digest.length !== 32 || slot.generation < 1) {
      throw new CryptoError('invalid-argument');
    }
    return concat(slot.slotId, Uint8Array.of(kindBytes[slot.kind]), uint32(slot.generation), slot.digest);
  });
  const list = concat(encodeSealedHeader(input.epoch), Uint8Array.of(slots.length), ...entries);
  return concat(list, macOf(input.listKey, list));
}

/**
 * Reads a list after checking its MAC.
 *
 * Only the vault head can say that it is the newest: compare `digestKeyslotList` with the head's.
 *
 * @throws {CryptoError} `open-failed` for another account's, another epoch's or a changed list; `malformed`,
 *   `unsupported-version`, `unsupported-suite`.
 */
export function openKeyslotList(input: {
  readonly listKey: Secret<'KeyslotListKey'>;
  readonly body: Uint8Array;
}): KeyslotList {
  const { epoch, sealed } = decodeSealedHeader(input.body);
  const count = sealed[0] ?? 0;
  if (count === 0 || count > maximumKeyslots || sealed.length !== 1 + count * entryLength + macLength) {
    throw new CryptoError('malformed');
  }
  const list = input.body.subarray(0, input.body.length - macLength);
  if (!equalBytes(macOf(input.listKey, list), input.body.subarray(list.length))) throw new CryptoError('open-failed');
  const slots: ListedKeyslot[] = [];
  for (let offset = 1; offset < 1 + count * entryLength; offset += entryLength) {
    const slot = decodeEntry(sealed.subarray(offset, offset + entryLength));
    const before = slots.at(-1);
    if (before !== undefined && compareBytes(before.slotId, slot.slotId) >= 0) throw new CryptoError('malformed');
    slots.push(slot);
  }
  return { epoch, slots };
}

function decodeEntry(entry: Uint8Array): ListedKeyslot {
  const kind = kindsByByte.get(entry[16] ?? 0);
  const generation = readUint32(entry, 17);
  if (kind === undefined || generation === 0) throw new CryptoError('malformed');
  return { slotId: entry.slice(0, 16) as Bytes, kind, generation, digest: entry.slice(21, 53) as Bytes };
}

/** True if the account itself put this very keyslot there; a client uses no other. */
export function isListedKeyslot(
  list: KeyslotList,
  keyslot: Omit<ListedKeyslot, 'digest'> & { readonly body: Uint8Array },
): boolean {
  const digest = digestKeyslot(keyslot.body);
  return list.slots.some(
    (slot) =>
      equalBytes(slot.slotId, keyslot.slotId) &&
      slot.kind === keyslot.kind &&
      slot.generation === keyslot.generation &&
      equalBytes(slot.digest, digest),
  );
}
