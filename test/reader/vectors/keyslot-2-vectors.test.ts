import { describe, expect, test } from 'vitest';
import frozen from '../../vectors/sotto-v1-keyslot-2.json' with { type: 'json' };
import { decodeBase64url, sha256, zeros } from '../protocol/conventions.ts';
import { keyEncryptionKey, type KeyslotKind, type KeyslotPlace, unwrapKeyslot, wrapKeyslot } from '../account/keys.ts';
import { openKeyslotList, sealKeyslotList } from '../account/keyslot-list.ts';
import { nameTag } from '../account/names.ts';
import { codeOf, codesOfFlips, fromHex, saltOf, toHex } from './vectors.ts';

describe.each(frozen.keyslots)('keyslot version 2: $kind, generation $generation', (entry) => {
  const kind = entry.kind as KeyslotKind;
  const key = keyEncryptionKey(fromHex(entry.secret), kind);
  const content = {
    accountId: fromHex(entry.accountId),
    serverStaticPublicKey: decodeBase64url(entry.serverStaticPublicKey),
    accountKey: fromHex(entry.accountKey),
    nameTag: fromHex(entry.nameTag),
  };
  const place: KeyslotPlace = {
    kind,
    slotId: fromHex(entry.slotId),
    generation: entry.generation,
    stretching: entry.stretching,
    boundServerKey: content.serverStaticPublicKey,
  };
  const body = fromHex(entry.body);

  test('opens under its name and where none was typed, and is made again', () => {
    expect(entry.nameTag).toBe(toHex(nameTag('Ada')));
    const opened = { ...content, epoch: entry.epoch };
    expect(unwrapKeyslot(key, place, body)).toEqual(opened);
    expect(unwrapKeyslot(key, place, body, content.nameTag)).toEqual(opened);
    expect(codeOf(() => unwrapKeyslot(key, place, body, zeros(32)))).toBe('open-failed');
    const wrapping = { key, place, epoch: entry.epoch, salt: saltOf(entry.body) };
    expect(toHex(wrapKeyslot(wrapping, content))).toBe(entry.body);
    expect(toHex(sha256(body))).toBe(entry.digest);
  });

  test('refuses each changed byte, and the length of version 1', () => {
    const codes = codesOfFlips(body, (changed) => unwrapKeyslot(key, place, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(new Set(codes.slice(2))).toEqual(new Set(['open-failed']));
    expect(codeOf(() => unwrapKeyslot(key, place, body.slice(0, 166)))).toBe('malformed');
    expect(codeOf(() => unwrapKeyslot(key, place, body.with(0, 1)))).toBe('malformed');
    expect(codeOf(() => unwrapKeyslot(key, place, body.with(0, 3)))).toBe('unsupported-version');
  });
});

test.each(frozen.keyslotLists)('keyslot list over slots of version 2: epoch $epoch, both ways', (entry) => {
  const key = fromHex(entry.keyslotListKey);
  const opened = openKeyslotList(key, fromHex(entry.body));
  expect(opened.slots.map(({ digest }) => toHex(digest))).toEqual(entry.slots.map(({ digest }) => digest));
  expect(toHex(sealKeyslotList(key, entry.epoch, opened.slots))).toBe(entry.body);
});

test('keyslot list: takes the kinds 1 to 4, and refuses the retired 5 and every other', () => {
  const read = (body: string) => codeOf(() => openKeyslotList(fromHex(frozen.keyslotListKey), fromHex(body)));
  expect(frozen.kinds.map(({ kind, body }) => [kind, read(body)])).toEqual(
    [1, 2, 3, 4].map((kind) => [kind, 'accepted']),
  );
  expect(frozen.refusedKinds.map(({ kind, body }) => [kind, read(body)])).toEqual(
    [0, 5, 6, 255].map((kind) => [kind, 'malformed']),
  );
});
