import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { currentAccountKey, rotateKeyring } from '../../../crypto/account/keyring.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { concat, lengthPrefixed, randomBytes, toHex, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { openCommitted, sealCommitted } from '../../../crypto/primitives/committed-seal.ts';
import { labelled } from '../../../crypto/protocol/bytes/hash.ts';
import { maximumContentLength, padToSizeClass, sizeClassOf } from '../../../crypto/protocol/bytes/size-class.ts';
import { itemOverhead, openItem, sealItem } from '../../../crypto/vault/item.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { filled, randomKeyring, sampleKeyring } from '../../parts/crypto/sample-account.ts';
import { boundaryLengths } from '../../parts/crypto/tampering.ts';

beforeAll(aeadReady);

const keyring = sampleKeyring();
const place = { itemId: filled(16, 1), version: 3, expiresAt: 20_000 };
const content = new TextEncoder().encode('what was said');

describe('sealItem and openItem', () => {
  it.each(boundaryLengths.filter((length) => length <= 1_048_577))(
    '%i bytes come back in their size class',
    (length) => {
      const long = new Uint8Array(length).fill(7);
      const body = sealItem({ keyring, ...place, content: long });
      expect(body).toHaveLength(itemOverhead + sizeClassOf(length + 4));
      const opened = openItem({ keyring, ...place, body });
      expect(Buffer.from(opened).equals(long)).toBe(true);
    },
  );

  it('16 MiB - 4 is the longest', () => {
    const longest = new Uint8Array(maximumContentLength);
    expect(openItem({ keyring, ...place, body: sealItem({ keyring, ...place, content: longest }) })).toHaveLength(
      longest.length,
    );
    const more = new Uint8Array(maximumContentLength + 1);
    expect(refusalOf(() => sealItem({ keyring, ...place, content: more }))).toBe('too-long');
  });

  it('comes back in any account and place, and nowhere else', () => {
    const place32 = fc.integer({ min: 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(
        place32,
        fc.nat({ max: 10_000_000 }),
        fc.uint8Array({ maxLength: 64 }),
        (version, expiresAt, text) => {
          const account = randomKeyring();
          const here = { keyring: account, itemId: randomBytes(16), version, expiresAt };
          const body = sealItem({ ...here, content: text });
          expect(openItem({ ...here, body })).toEqual(text);
          expect(refusalOf(() => openItem({ ...here, itemId: randomBytes(16), body }))).toBe('open-failed');
          expect(refusalOf(() => openItem({ ...here, expiresAt: expiresAt + 1, body }))).toBe('open-failed');
        },
      ),
    );
  });

  it('is what SPEC.md §5.2 says, byte for byte', () => {
    const body = sealItem({ keyring, ...place, content });
    const header = body.subarray(0, 6);
    expect(toHex(header)).toBe('010100000001');
    const context = {
      key: currentAccountKey(keyring).expose(),
      info: labelled('sotto/v1/item', keyring.accountId, place.itemId),
      associatedData: lengthPrefixed(header, keyring.accountId, place.itemId, uint32(3), uint32(20_000)),
    };
    expect(openCommitted({ ...context, sealed: body.subarray(6) })).toEqual(padToSizeClass(content));
  });

  it('two sealings of one content share no bytes that would tell', () => {
    const first = sealItem({ keyring, ...place, content });
    const second = sealItem({ keyring, ...place, content });
    const same = first.filter((byte, at) => at >= 6 && byte === second[at]).length;
    // One byte in 256 agrees by chance.
    expect(same).toBeLessThan(30);
  });
});

describe('M13, M25: changed bytes', () => {
  it('openItem rejects every changed byte, cut and extension', () => {
    const body = sealItem({ keyring, ...place, content });
    const read = (changed: Uint8Array) => openItem({ keyring, ...place, body: changed });
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite', 'unknown-key'] as const;
    expect(unrefusedTamperings(body, read, ...codes)).toEqual([]);
  });

  it.each([
    ['M11: version 0', 0, 0, 'unsupported-version'],
    ['M11: version 2', 0, 2, 'unsupported-version'],
    ['M11: suite 0', 1, 0, 'unsupported-suite'],
    ['M11: suite 2', 1, 2, 'unsupported-suite'],
    ['epoch 0', 5, 0, 'malformed'],
    ['an epoch that is not known yet', 5, 2, 'unknown-key'],
  ] as const)('openItem rejects %s', (_, at, value, code) => {
    const body = sealItem({ keyring, ...place, content });
    body[at] = value;
    expect(refusalOf(() => openItem({ keyring, ...place, body }))).toBe(code);
  });

  it('openItem rejects padding that no writer makes, even under the right key', () => {
    const header = Uint8Array.of(1, 1, 0, 0, 0, 1);
    const context = {
      key: currentAccountKey(keyring).expose(),
      info: labelled('sotto/v1/item', keyring.accountId, place.itemId),
      associatedData: lengthPrefixed(header, keyring.accountId, place.itemId, uint32(3), uint32(20_000)),
    };
    const sealed = (plaintext: Uint8Array) => concat(header, sealCommitted({ ...context, plaintext }));
    const padded = padToSizeClass(content);
    expect(openItem({ keyring, ...place, body: sealed(padded) })).toEqual(content);
    const long = concat(padded, new Uint8Array(3072));
    expect(refusalOf(() => openItem({ keyring, ...place, body: sealed(long) }))).toBe('malformed');
    expect(refusalOf(() => openItem({ keyring, ...place, body: sealed(content) }))).toBe('malformed');
  });
});

describe('M14, M18, M21: a body in another place', () => {
  const body = () => sealItem({ keyring, ...place, content });

  it('opens in its own', () => {
    expect(openItem({ keyring, ...place, body: body() })).toEqual(content);
  });

  it.each([
    ['another item', { itemId: filled(16, 2) }],
    ['M18: the next version', { version: 4 }],
    ['M18: an older version', { version: 2 }],
    ['M21: a later expiry', { expiresAt: 20_001 }],
    ['M21: no expiry', { expiresAt: 0 }],
  ])('openItem rejects it as %s', (_, change) => {
    expect(refusalOf(() => openItem({ keyring, ...place, ...change, body: body() }))).toBe('open-failed');
  });

  it('openItem rejects it in another account, with the same key or another one', () => {
    const otherId = sampleKeyring(0xa2, 0xb1);
    const otherKey = sampleKeyring(0xa1, 0xb2);
    expect(refusalOf(() => openItem({ keyring: otherId, ...place, body: body() }))).toBe('open-failed');
    expect(refusalOf(() => openItem({ keyring: otherKey, ...place, body: body() }))).toBe('open-failed');
  });

  it('two bodies swapped between two items both fail', () => {
    const other = { ...place, itemId: filled(16, 9) };
    const bodies = [body(), sealItem({ keyring, ...other, content })] as const;
    expect(refusalOf(() => openItem({ keyring, ...place, body: bodies[1] }))).toBe('open-failed');
    expect(refusalOf(() => openItem({ keyring, ...other, body: bodies[0] }))).toBe('open-failed');
  });
});

describe('epochs', () => {
  it('a new epoch seals under its key, and still opens what is older', () => {
    const old = sealItem({ keyring, ...place, content });
    const next = rotateKeyring(keyring);
    expect(openItem({ keyring: next, ...place, body: old })).toEqual(content);
    const body = sealItem({ keyring: next, ...place, content });
    expect(body[5]).toBe(2);
    expect(openItem({ keyring: next, ...place, body })).toEqual(content);
    expect(refusalOf(() => openItem({ keyring, ...place, body }))).toBe('unknown-key');
  });

  it('the epoch is bound: an old body passed off as new fails', () => {
    const next = rotateKeyring(keyring);
    const body = sealItem({ keyring, ...place, content });
    body[5] = 2;
    expect(refusalOf(() => openItem({ keyring: next, ...place, body }))).toBe('open-failed');
  });
});

describe('misuse', () => {
  it.each([
    ['an item id of 15 bytes', { itemId: filled(15, 1) }],
    ['version 0', { version: 0 }],
    ['version 2^32', { version: 2 ** 32 }],
    ['a fractional version', { version: 1.5 }],
    ['a negative expiry', { expiresAt: -1 }],
  ])('refuses %s', (_, change) => {
    expect(refusalOf(() => sealItem({ keyring, ...place, ...change, content }))).toBe('invalid-argument');
    const body = sealItem({ keyring, ...place, content });
    expect(refusalOf(() => openItem({ keyring, ...place, ...change, body }))).toBe('invalid-argument');
  });
});
