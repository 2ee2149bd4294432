import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';

const secret = () => new Secret('AccountKey', Uint8Array.of(222, 173, 190, 239));

describe('Secret', () => {
  it.each([
    ['String()', (value: unknown) => String(value)],
    ['a template', (value: unknown) => `${value as string}`],
    ['JSON.stringify', (value: unknown) => JSON.stringify({ value })],
    ['inspect', (value: unknown) => inspect(value, { depth: 9, showHidden: true })],
    ['Object.values', (value: unknown) => JSON.stringify(Object.values(value as object))],
    ['an error', (value: unknown) => String(new Error(String(value)))],
  ])('%s shows nothing of the bytes', (_, show) => {
    const text = show(secret());
    expect(text).not.toMatch(/222|173|dead|beef|190/i);
  });

  it('expose gives the bytes, wipe clears them', () => {
    const value = secret();
    expect(value.expose()).toEqual(Uint8Array.of(222, 173, 190, 239));
    value.wipe();
    expect(value.expose()).toEqual(new Uint8Array(4));
  });

  it('structured clone does not carry the bytes', () => {
    expect(JSON.stringify(structuredClone(secret()))).not.toContain('222');
  });
});

describe('CryptoError', () => {
  it('says a code, an advice and nothing else', () => {
    const error = new CryptoError('open-failed');
    expect(String(error)).toBe('CryptoError: open-failed');
    expect(error.advice).toBe('stop');
    expect(new CryptoError('unknown-key').advice).toBe('retry');
    expect(new CryptoError('too-long').advice).toBe('fix');
  });
});
