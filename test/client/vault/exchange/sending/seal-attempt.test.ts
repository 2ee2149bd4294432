import { beforeAll, describe, expect, test } from 'vitest';
import {
  sealAttempt,
  type SealingEnclave,
  type TurnQuestion,
} from '../../../../../client/vault/exchange/sending/seal-attempt.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import { maximumSystemLength } from '../../../../../crypto/protocol/contents/request-content.ts';
import { randomBytes, toBase64Url, toHex } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../../../crypto/primitives/key-id.ts';
import { generateEnclaveKeyPair } from '../../../../../crypto/turn/hybrid-kem.ts';
import { fromMessage, openRequest } from '../../../../../crypto/turn/sealed-request.ts';

beforeAll(aeadReady);

const id = (length: number) => toBase64Url(randomBytes(length));
const user = (text: string) => ({ role: 'user' as const, text });
const question = (messages: TurnQuestion['messages'] = [user('Why?')]): TurnQuestion => ({
  turnId: id(16),
  turnKey: id(32),
  cacheSalt: id(32),
  messages,
  parameters: { maximumTokens: 9 },
});

/** Gives what an enclave reads of a question that was sealed to it. */
async function sealedFor(accepts: SealingEnclave['accepts'], asked = question()) {
  const { publicKey, secretKey } = generateEnclaveKeyPair();
  const enclave: SealingEnclave = {
    enclaveId: 'first',
    alternateEnclaveId: null,
    publicKeys: [publicKey],
    accepts,
    evidenceDigest: randomBytes(32),
    model: 'm',
    expiresAtMs: () => 1,
  };
  const attempt = await sealAttempt(asked, enclave, id(32));
  const secretKeys = new Map([[toHex(keyIdOf(publicKey)), secretKey]]);
  const { header, content } = await openRequest({ request: fromMessage(attempt.request), secretKeys });
  return { frameClass: header.frameClass, content, statement: attempt.statement };
}

describe('sealAttempt: the format of a request', () => {
  test('is 1 where an enclave gave no statement of format 2, and then nothing of format 2 goes to the relay either', async () => {
    const { content, frameClass, statement } = await sealedFor(null);
    expect(content).toMatchObject({ format: 1, messages: [user('Why?')], parameters: { maximumTokens: 9 } });
    expect([frameClass, statement]).toEqual(['chat', undefined]);
  });

  test('is 2 where each of them gave one', async () => {
    const { content, statement } = await sealedFor(new Set());
    expect(content).toMatchObject({ format: 2, kind: 'chat', wants: {}, parameters: { maximumTokens: 9 } });
    expect(content.format === 2 && content.kind === 'chat' && content.messages).toEqual([
      { role: 'user', parts: [{ kind: 'text', text: 'Why?' }] },
    ]);
    expect(statement).toBe(2);
  });

  test('has words of the system in front as its own member; those within a conversation or alone need format 1', async () => {
    const system = { role: 'system' as const, text: 'Quietly.' };
    const { content } = await sealedFor(new Set(), question([system, user('Why?')]));
    expect(content).toMatchObject({ format: 2, system: 'Quietly.', messages: [{ role: 'user' }] });
    const alone = await sealedFor(new Set(), question([system]));
    expect(alone.content).toMatchObject({ format: 1, messages: [system] });
    const messages = [user('Why?'), { role: 'assistant' as const, text: 'So.' }, system, user('And?')];
    expect((await sealedFor(new Set(), question(messages))).content).toMatchObject({ format: 1, messages });
  });

  test('is 1 for more words of the system than format 2 has room for', async () => {
    for (const [length, format] of [
      [maximumSystemLength, 2],
      [maximumSystemLength + 1, 1],
    ] as const) {
      const system = { role: 'system' as const, text: 's'.repeat(length) };
      expect((await sealedFor(new Set(), question([system, user('Why?')]))).content.format).toBe(format);
    }
  });

  test('is 1 for a last message of the assistant, unless the statement names that it is continued', async () => {
    const asked = question([user('Why?'), { role: 'assistant', text: 'Because' }]);
    expect((await sealedFor(new Set(), asked)).content.format).toBe(1);
    expect((await sealedFor(new Set(['continue']), asked)).content.format).toBe(2);
  });
});

describe('sealAttempt: the pace', () => {
  const words = ['Why?', 'A long answer, please. '.repeat(500), '```ts\nconst code = 1;\n```', '🤫'];

  test.each([
    ['fast', new Set(['fast'] as const)],
    ['chat', new Set(['title'] as const)],
    ['chat', null],
  ] as const)('is %s by what the statements name, whatever is written', async (pace, accepts) => {
    const paces = await Promise.all(
      words.map(async (text) => (await sealedFor(accepts, question([user(text)]))).frameClass),
    );
    expect(new Set(paces)).toEqual(new Set([pace]));
  });
});
