import { beforeAll, describe, expect, it } from 'vitest';
import { rotateKeyring } from '../../../crypto/account/keyring.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { openUnsentText, sealUnsentText } from '../../../crypto/vault/unsent-text.ts';
import { isMissingBodyAllowed, roundUpToDay } from '../../../crypto/vault/expiry.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { sampleKeyring } from '../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const keyring = sampleKeyring();
const draftId = 'conversation-1';
const text = 'not sent yet — 😀';

describe('draft', () => {
  it('comes back, and its length shows as a class only', () => {
    const body = sealUnsentText({ keyring, placeId: draftId, text });
    expect(openUnsentText({ keyring, placeId: draftId, body })).toBe(text);
    expect(body).toHaveLength(sealUnsentText({ keyring, placeId: draftId, text: '' }).length);
  });

  it('open: rejects every changed byte, cut and extension', () => {
    const body = sealUnsentText({ keyring, placeId: draftId, text });
    const read = (changed: Uint8Array) => openUnsentText({ keyring, placeId: draftId, body: changed });
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite', 'unknown-key'] as const;
    expect(unrefusedTamperings(body, read, ...codes)).toEqual([]);
  });

  it('open: rejects another place, account and key', () => {
    const body = sealUnsentText({ keyring, placeId: draftId, text });
    expect(refusalOf(() => openUnsentText({ keyring, placeId: 'conversation-2', body }))).toBe('open-failed');
    expect(refusalOf(() => openUnsentText({ keyring: sampleKeyring(0xa2), placeId: draftId, body }))).toBe(
      'open-failed',
    );
    expect(refusalOf(() => openUnsentText({ keyring: sampleKeyring(0xa1, 0xb2), placeId: draftId, body }))).toBe(
      'open-failed',
    );
  });

  it('survives a rotation', () => {
    const body = sealUnsentText({ keyring, placeId: draftId, text });
    const next = rotateKeyring(keyring);
    expect(openUnsentText({ keyring: next, placeId: draftId, body })).toBe(text);
    const newer = sealUnsentText({ keyring: next, placeId: draftId, text });
    expect(openUnsentText({ keyring: next, placeId: draftId, body: newer })).toBe(text);
    expect(refusalOf(() => openUnsentText({ keyring, placeId: draftId, body: newer }))).toBe('unknown-key');
  });

  it.each(['', 'x'.repeat(65), 'é'.repeat(33)])('refuses the place %j', (place) => {
    expect(refusalOf(() => sealUnsentText({ keyring, placeId: place, text }))).toBe('invalid-argument');
    expect(refusalOf(() => sealUnsentText({ keyring, placeId: 'x'.repeat(64), text }))).toBe('accepted');
  });
});

describe('expiry', () => {
  const day = 86_400_000;

  it.each([
    [1, 1],
    [day - 1, 1],
    [day, 1],
    [day + 1, 2],
    [Date.UTC(2026, 10, 22, 13), 20_780],
  ])('%i ms is rounded up to day %i', (timeMs, expected) => {
    expect(roundUpToDay(timeMs)).toBe(expected);
  });

  it.each([
    ['never expires', 0, 10 * day, false],
    ['not expired', 5, 4 * day, false],
    ['just expired', 5, 5 * day + 1, false],
    ['expired for exactly a day', 5, 6 * day, false],
    ['expired for more than a day', 5, 6 * day + 1, true],
  ])('a missing body of an item that %s', (_, expiresAt, nowMs, allowed) => {
    expect(isMissingBodyAllowed({ expiresAt, nowMs })).toBe(allowed);
  });
});
