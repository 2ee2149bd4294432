import { describe, expect, it } from 'vitest';
import { deriveKeyslotListKey } from '../../../crypto/account/account-key.ts';
import {
  digestKeyslot,
  digestKeyslotList,
  encodeKeyslotList,
  isListedKeyslot,
  type ListedKeyslot,
  maximumKeyslots,
  openKeyslotList,
} from '../../../crypto/account/keyslot-list.ts';
import { concat, toHex, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { hmacSha256, labelled, sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { filled } from '../../parts/crypto/sample-account.ts';

const accountKey = new Secret('AccountKey', filled(32, 0xbb));
const listKey = deriveKeyslotListKey({ accountId: filled(16, 0xaa), accountKey });
const slot = (value: number, kind: ListedKeyslot['kind'], generation = 1): ListedKeyslot => ({
  slotId: filled(16, value),
  kind,
  generation,
  digest: filled(32, value),
});
const slots = [slot(2, 'recovery'), slot(1, 'password', 4)];
const entries = concat(
  concat(filled(16, 1), Uint8Array.of(1), uint32(4), filled(32, 1)),
  concat(filled(16, 2), Uint8Array.of(2), uint32(1), filled(32, 2)),
);
const header = Uint8Array.of(1, 1, 0, 0, 0, 1);
/** A list that only someone with the key could write: right MAC, whatever is inside. */
const withMac = (list: Uint8Array) =>
  concat(list, hmacSha256(listKey.expose(), labelled('sotto/v1/keyslot-list', list)));

describe('keyslot list', () => {
  it('is what SPEC.md §4.3 says, whatever the order of the slots', () => {
    const expected = withMac(concat(header, Uint8Array.of(2), entries));
    expect(toHex(encodeKeyslotList({ listKey, epoch: 1, slots }))).toBe(toHex(expected));
    expect(toHex(encodeKeyslotList({ listKey, epoch: 1, slots: slots.toReversed() }))).toBe(toHex(expected));
    expect(expected).toHaveLength(6 + 1 + 2 * 53 + 32);
  });

  it('comes back sorted', () => {
    const body = encodeKeyslotList({ listKey, epoch: 1, slots });
    expect(openKeyslotList({ listKey, body })).toEqual({ epoch: 1, slots: slots.toReversed() });
  });

  it('holds every kind', () => {
    const kinds = ['password', 'recovery', 'passkey', 'device'] as const;
    const body = encodeKeyslotList({ listKey, epoch: 1, slots: kinds.map((kind, place) => slot(place, kind)) });
    expect(openKeyslotList({ listKey, body }).slots.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('open: rejects every changed byte, cut and extension', () => {
    const body = encodeKeyslotList({ listKey, epoch: 1, slots });
    const read = (changed: Uint8Array) => openKeyslotList({ listKey, body: changed });
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite'] as const;
    expect(unrefusedTamperings(body, read, ...codes)).toEqual([]);
  });

  it.each([
    ['another account', deriveKeyslotListKey({ accountId: filled(16, 0xab), accountKey })],
    [
      'another epoch',
      deriveKeyslotListKey({ accountId: filled(16, 0xaa), accountKey: new Secret('AccountKey', filled(32, 0xbc)) }),
    ],
  ])('M8: open rejects a list of %s', (_, otherKey) => {
    const body = encodeKeyslotList({ listKey: otherKey, epoch: 1, slots });
    expect(refusalOf(() => openKeyslotList({ listKey, body }))).toBe('open-failed');
    expect(refusalOf(() => openKeyslotList({ listKey: otherKey, body }))).toBe('accepted');
  });

  const first = entries.subarray(0, 53);
  const second = entries.subarray(53);
  it.each([
    ['no slot', concat(header, Uint8Array.of(0))],
    ['slots out of order', concat(header, Uint8Array.of(2), second, first)],
    ['a slot twice', concat(header, Uint8Array.of(2), first, first)],
    ['a count that is too small', concat(header, Uint8Array.of(1), entries)],
    ['a count that is too large', concat(header, Uint8Array.of(3), entries)],
    [
      '17 slots',
      concat(
        header,
        Uint8Array.of(17),
        ...Array.from({ length: 17 }, (_, place) => concat(filled(16, place), first.subarray(16))),
      ),
    ],
    [
      'a kind of 0',
      concat(
        header,
        Uint8Array.of(1),
        first.map((byte, at) => (at === 16 ? 0 : byte)),
      ),
    ],
    [
      'a kind of 5, once kept for administrators',
      concat(
        header,
        Uint8Array.of(1),
        first.map((byte, at) => (at === 16 ? 5 : byte)),
      ),
    ],
    [
      'a kind of 6',
      concat(
        header,
        Uint8Array.of(1),
        first.map((byte, at) => (at === 16 ? 6 : byte)),
      ),
    ],
    [
      'generation 0',
      concat(
        header,
        Uint8Array.of(1),
        first.map((byte, at) => (at === 20 ? 0 : byte)),
      ),
    ],
  ])('open: rejects %s, even under a right MAC', (_, list) => {
    expect(refusalOf(() => openKeyslotList({ listKey, body: withMac(list) }))).toBe('malformed');
  });

  it('open: accepts the twin of those', () => {
    const body = withMac(concat(header, Uint8Array.of(1), first));
    expect(openKeyslotList({ listKey, body }).slots).toHaveLength(1);
  });

  it.each([
    ['no slot', []],
    ['17 slots', Array.from({ length: maximumKeyslots + 1 }, (_, place) => slot(place, 'device'))],
    ['a slot twice', [slot(1, 'password'), slot(1, 'recovery')]],
    ['generation 0', [slot(1, 'password', 0)]],
    ['a slot id of 15 bytes', [{ ...slot(1, 'password'), slotId: filled(15, 1) }]],
    ['a digest of 31 bytes', [{ ...slot(1, 'password'), digest: filled(31, 1) }]],
  ])('encode refuses %s', (_, wrong) => {
    expect(refusalOf(() => encodeKeyslotList({ listKey, epoch: 1, slots: wrong }))).toBe('invalid-argument');
  });

  it('16 slots fit into a message', () => {
    const all = Array.from({ length: maximumKeyslots }, (_, place) => slot(place, 'device'));
    expect(encodeKeyslotList({ listKey, epoch: 1, slots: all }).length).toBeLessThan(1024);
  });

  it('digests are SHA-256 of the bodies', () => {
    const body = filled(166, 1);
    expect(digestKeyslot(body)).toEqual(sha256(body));
    expect(digestKeyslotList(body)).toEqual(sha256(body));
  });
});

describe('isListedKeyslot, M8 and M9', () => {
  const body = filled(166, 9);
  const listed = { ...slot(1, 'recovery', 2), digest: digestKeyslot(body) };
  const list = { epoch: 1, slots: [slot(2, 'password'), listed] };
  const keyslot = { slotId: listed.slotId, kind: listed.kind, generation: listed.generation, body };

  it('knows the slot that is listed', () => {
    expect(isListedKeyslot(list, keyslot)).toBe(true);
  });

  it.each([
    ['another body', { body: filled(166, 8) }],
    ['another kind', { kind: 'device' as const }],
    ['an older generation', { generation: 1 }],
    ['another slot', { slotId: filled(16, 2) }],
    ['an unknown slot', { slotId: filled(16, 7) }],
  ])('does not know %s', (_, change) => {
    expect(isListedKeyslot(list, { ...keyslot, ...change })).toBe(false);
  });
});
