import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isSignedByLog,
  noteKeyId,
  parseCheckpoint,
  signCheckpoint,
} from '../../../../crypto/evidence/modal/checkpoint.ts';
import { fromBase64, toBase64 } from '../../../../crypto/evidence/modal/base64.ts';
import { publicKeyOf, verifyEd25519 } from '../../../../crypto/evidence/modal/ed25519.ts';
import { type Bytes, encodeUtf8, randomBytes, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { checkpointText, noteLine, paperKeyOfSeed, signNote } from '../../../parts/evidence/modal/paper-log.ts';
import { refusalOf } from '../../../parts/crypto/refusal.ts';

const seed = randomBytes(32);
const key = { secretKey: new Secret('LogKey', seed), publicKey: publicKeyOf(seed) };
const origin = 'registrar.example/log-1';
const rootHash = randomBytes(32);

/** C2SP signed-note, "Example". */
const published = {
  name: 'example.com/foo',
  keyId: '530d903a',
  key: 'AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  text: 'This is an example message.\n',
  signature: 'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=',
};

test('noteKeyId, verifyEd25519: the published example', () => {
  const publicKey = fromBase64(published.key).slice(1);
  expect(toHex(noteKeyId(published.name, publicKey))).toBe(published.keyId);
  const signed = fromBase64(published.signature);
  expect(toHex(signed.slice(0, 4))).toBe(published.keyId);
  const signature = signed.slice(4);
  expect(verifyEd25519({ publicKey, message: encodeUtf8(published.text), signature })).toBe(true);
  expect(verifyEd25519({ publicKey, message: encodeUtf8(published.text.trimEnd()), signature })).toBe(false);
});

test('parseCheckpoint: the published example of tlog-checkpoint', () => {
  const note = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;
  const { size, signatures, ...rest } = parseCheckpoint(note);
  expect({ size, origin: rest.origin, root: toBase64(rest.rootHash) }).toEqual({
    size: 20_852_163,
    origin: 'example.com/behind-the-sofa',
    root: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
  });
  expect(signatures.map(({ keyName, keyId }) => [keyName, toHex(keyId)])).toEqual([
    ['example.com/behind-the-sofa', '033de0ae'],
  ]);
});

describe('signCheckpoint', () => {
  test.each([0, 1, 255, 256, 2 ** 31, Number.MAX_SAFE_INTEGER])(
    'size %d: as written by another implementation',
    (size) => {
      const note = signCheckpoint({ origin, size, rootHash }, key);
      expect(note).toBe(signNote(checkpointText(origin, size, rootHash), origin, paperKeyOfSeed(seed)));
      const parsed = parseCheckpoint(note);
      expect(parsed).toMatchObject({ origin, size, rootHash });
      expect(isSignedByLog(parsed, key.publicKey)).toBe(true);
      expect(isSignedByLog(parsed, publicKeyOf(randomBytes(32)))).toBe(false);
    },
  );

  test.each([
    ['a size below nothing', { size: -1 }],
    ['a size with a fraction', { size: 1.5 }],
    ['a size beyond 2^53', { size: 2 ** 53 }],
    ['a root of 31 bytes', { rootHash: randomBytes(31) }],
    ['an origin of two lines', { origin: 'a\nb' }],
    ['an origin with a plus', { origin: 'a+b' }],
    ['no origin', { origin: '' }],
  ])('refuses %s', (_name, change) => {
    expect(refusalOf(() => signCheckpoint({ origin, size: 1, rootHash, ...change }, key))).toBe('invalid-argument');
    expect(refusalOf(() => signCheckpoint({ origin, size: 1, rootHash }, key))).toBe('accepted');
  });
});

describe('base64', () => {
  test('writes and reads every length from 0 to 64', () => {
    for (let length = 0; length <= 64; length++) {
      const bytes = randomBytes(length);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
  });

  test.each([
    'A',
    'AA',
    'AAA',
    'AB==',
    'AAB=',
    'AAA=AAA=',
    '====',
    'AA=A',
    'A-A=',
    'A_A=',
    ' AAA',
    'AAAA\n',
    'AAAA====',
    '=',
  ])('refuses %j', (text) => {
    expect(refusalOf(() => fromBase64(text))).toBe('malformed');
  });
});

describe('fuzz, bounded and seeded', () => {
  const note = signCheckpoint({ origin, size: 12, rootHash }, key);
  /** Refused with `malformed`, or not signed by the log: nothing else may happen to a text that the log did not write. */
  const outcome = (text: string): 'malformed' | 'unsigned' | 'signed' => {
    try {
      return isSignedByLog(parseCheckpoint(text), key.publicKey) ? 'signed' : 'unsigned';
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'malformed') return 'malformed';
      throw error;
    }
  };

  test('the twin is signed', () => expect(outcome(note)).toBe('signed'));

  test('no text of chance is signed', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('\n', '\n\n', '\u2014 ', origin, '12', '=', '+', toBase64(rootHash), note),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(text !== note && outcome(text) === 'signed').toBe(false);
      }),
      { seed: 20_261_122, numRuns: 5_000 },
    );
  });

  test('no change of one place passes', () => {
    fc.assert(
      fc.property(
        fc.nat(note.length - 1),
        fc.constantFrom('replace', 'insert', 'remove'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        (place, how, character) => {
          const changed =
            note.slice(0, place) +
            (how === 'remove' ? '' : character) +
            note.slice(how === 'insert' ? place : place + 1);
          expect(changed !== note && outcome(changed) === 'signed').toBe(false);
        },
      ),
      { seed: 20_261_122, numRuns: 5_000 },
    );
  });

  test('long inputs end soon', () => {
    const witnessed = (length: number) => `${note}${noteLine('w.example', new Uint8Array(4), new Uint8Array(length))}`;
    expect(outcome(witnessed(1000))).toBe('signed');
    const longOnes: string[] = [
      witnessed(1500),
      witnessed(1_000_000),
      '\n'.repeat(2048),
      `${'a'.repeat(2047)}\n`,
      `${origin}\n${'1'.repeat(1900)}\n`,
      `${origin}\n12\n${toBase64(rootHash)}\n\n${'\u2014 a AAAA\n'.repeat(200)}`,
      'a'.repeat(10_000_000),
    ];
    for (const text of longOnes) expect(outcome(text)).toBe('malformed');
  });
});

test('isSignedByLog: a key of small order signs nothing', () => {
  const neutral: Bytes = new Uint8Array(32);
  neutral[0] = 1;
  const message = encodeUtf8('anything');
  const signature = new Uint8Array(64);
  signature[0] = 1;
  expect(verifyEd25519({ publicKey: neutral, message, signature })).toBe(false);
});
