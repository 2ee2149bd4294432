/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-call, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-return, vitest/expect-expect, vitest/no-conditional-expect
   -- what a lying relay says has no type; expectEnclaveRefused asserts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateEnclaveKeyPair } from '../../../../crypto/turn/hybrid-kem.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { generateIdentityKeyPair, signKeyStatement } from '../../../../crypto/evidence/key-statement.ts';
import { keyIdOf } from '../../../../crypto/primitives/key-id.ts';
import type { BrowserProfile, Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { developmentPolicy } from '../../../parts/evidence/development-policy.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { answerInstead, changeJson, changeRequest, flip, jsonResponse, pathOf } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
  await aeadReady();
});
afterAll(() => lab[Symbol.asyncDispose]());

const enclaves = /^\/v1\/enclaves$/;

/** Refuses the enclave, sends nothing to it, keeps the question, and sends it once the relay is honest. */
async function expectEnclaveRefused(
  intercept: Interceptor,
  failedCheck: string | null,
  policy?: unknown,
): Promise<void> {
  const profile = lab.profile(policy === undefined ? {} : { policy });
  const { tab } = await lab.signUp(profile);
  profile.intercept = intercept;
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'refused' || tab.enclave.kind === 'unreachable');
  if (failedCheck !== null) {
    expect(tab.enclave).toMatchObject({ kind: 'refused' });
    const steps = tab.enclave.kind === 'refused' ? tab.enclave.steps : [];
    expect(steps.at(-1)).toMatchObject({ check: failedCheck, result: 'failed' });
  }
  if (failedCheck !== null) {
    // The words stay in the box: there is nobody to keep them for.
    expect(await tab.refusal(tab.ask('For a verified enclave only.'))).toEqual({ code: 'evidence-refused' });
    expect(tab.conversations).toEqual([]);
    expect(profile.sentTurns).toEqual([]);
    expect(wasSaidVerified(tab)).toBe(false);
    profile.intercept = null;
    if (policy !== undefined) return;
    await tab.until(() => tab.enclave.kind === 'verified');
    expect((await tab.ended((await tab.ask('For a verified enclave only.')).turnId)).text).toBe('In a low voice.');
    return;
  }
  const { turnId, conversationId } = await tab.ask('For a verified enclave only.');
  await tab.until(() => tab.stateOf(turnId) === 'unsent');
  expect(tab.answer(turnId).state).toMatchObject({ kind: 'unsent', failure: { code: 'malformed-answer' } });
  expect(profile.sentTurns).toEqual([]);
  expect(wasSaidVerified(tab)).toBe(false);
  await expectSentAfterwards(profile, tab, conversationId, turnId);
}

/** At any time so far, if only for a moment: evidence that came is not evidence that holds. */
function wasSaidVerified(tab: VaultTab): boolean {
  return tab.events.some((event) => event.type === 'enclave' && event.view.kind === 'verified');
}

async function expectSentAfterwards(profile: BrowserProfile, tab: VaultTab, conversationId: string, turnId: string) {
  profile.intercept = null;
  await tab.until(() => tab.enclave.kind === 'verified' && wasSaidVerified(tab));
  await tab.vault.retry({ conversationId, turnId });
  await tab.until(() => tab.texts(conversationId).includes('In a low voice.'));
  expect(tab.texts(conversationId)).toEqual(['For a verified enclave only.', 'In a low voice.']);
}

describe('evidence', () => {
  it('M1 with a key that is not in the statement is refused', async () => {
    const { publicKey } = generateEnclaveKeyPair();
    const swap = changeJson(enclaves, (answer) => {
      answer.publicKeys[0] = toBase64Url(publicKey);
    });
    await expectEnclaveRefused(swap, 'keys');
  });

  it('M2 that is genuine, with a statement by somebody else, is refused', async () => {
    const forge = changeJson(enclaves, (answer) => {
      const { publicKey } = generateEnclaveKeyPair();
      const statement = JSON.parse(Buffer.from(answer.statement, 'base64url').toString('utf8'));
      statement.keys = statement.keys.map((key: object) => ({ ...key, keyId: toBase64Url(keyIdOf(publicKey)) }));
      const signed = signKeyStatement({ identitySecretKey: generateIdentityKeyPair().secretKey, statement });
      answer.statement = toBase64Url(signed.statement);
      answer.signature = toBase64Url(signed.signature);
      answer.publicKeys = statement.keys.map(() => toBase64Url(publicKey));
    });
    await expectEnclaveRefused(forge, 'signature');
  });

  it('M2 with a changed statement is refused', async () => {
    const change = changeJson(enclaves, (answer) => {
      answer.statement = flip(answer.statement);
    });
    await expectEnclaveRefused(change, 'signature');
  });

  it('M3 that answered an earlier question is refused', async () => {
    let old: unknown = null;
    const profile = lab.profile();
    profile.intercept = changeJson(enclaves, (answer) => {
      old = answer;
      return answer;
    });
    const { tab } = await lab.signUp(profile);
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    await expectEnclaveRefused(
      answerInstead(enclaves, () => jsonResponse(old)),
      'freshness',
    );
  });

  it('M4 of a model that the policy does not have is refused', async () => {
    const policy = { ...developmentPolicy, models: [{ model: 'another-model', weightsDigests: null }] };
    await expectEnclaveRefused((request, next) => next(request), 'model', policy);
  });

  it('that the policy wants with a digest is refused without one', async () => {
    const weightsDigests = [toBase64Url(new Uint8Array(32))];
    const policy = { ...developmentPolicy, models: [{ model: 'test-model', weightsDigests }] };
    await expectEnclaveRefused((request, next) => next(request), 'model', policy);
  });

  it.each([
    {},
    { format: 1, allowedKinds: ['development'], models: null },
    { ...developmentPolicy, allowedKinds: undefined },
    { ...developmentPolicy, minimum: undefined },
    { ...developmentPolicy, allowUnverified: true },
    null,
  ])('is refused by an incomplete policy (%j): a missing field does not mean "anything"', async (policy) => {
    await expectEnclaveRefused((request, next) => next(request), 'policy', policy);
  });

  it('cannot be switched off by the relay', async () => {
    const allow = changeJson(enclaves, (answer) => ({ ...answer, allowUnverified: true, statement: 'AAAA' }));
    await expectEnclaveRefused(allow, null);
  });

  it('M35 that is missing never leads to a question in clear', async () => {
    const none = changeJson(enclaves, (answer) => ({ ...answer, evidence: [], publicKeys: [] }));
    await expectEnclaveRefused(none, null);
  });

  it('M11 of an unknown kind or format is refused', async () => {
    await expectEnclaveRefused(
      changeJson(enclaves, (answer) => ({ ...answer, format: 2 })),
      null,
    );
    await expectEnclaveRefused(
      changeJson(enclaves, (answer) => {
        answer.evidence[0].kind = 'trust-me';
      }),
      null,
    );
  });
});

describe('an enclave that changed', () => {
  it('for one of the same kind and model is verified and asked by itself', async () => {
    const { tab, profile } = await lab.openChat();
    const before = tab.enclave;
    await lab.killWorker();
    await lab.startWorker();
    const { turnId } = await tab.ask('Still there?');
    expect((await tab.ended(turnId)).text).toBe('In a low voice.');
    expect(profile.sentTurns.map(({ path }) => path)).toEqual(['/v1/turns', `/v1/turns/${turnId}/attempts`]);
    const fingerprints = [before, tab.enclave].map((view) => (view.kind === 'verified' ? view.keyFingerprint : ''));
    expect(new Set(fingerprints).size).toBe(2);
  });

  it('again and again is given up after three automatic retries, and said', async () => {
    const { tab, profile } = await lab.openChat();
    const asked = lab.upstream.requests.length;
    // The relay stores the items and says each time that the enclave is another one by now; each is genuine.
    const intercept = changeRequest(/^\/v1\/turns/, (body) => {
      body.enclaveId = 'gone';
    });
    profile.intercept = intercept;
    const { turnId, conversationId } = await tab.ask('For a verified enclave only.');
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    expect(tab.answer(turnId).state).toMatchObject({ failure: { code: 'enclave-changed' } });
    expect(profile.sentTurns).toHaveLength(4);
    expect(tab.question(turnId).stored).toBe(true);
    expect(lab.upstream.requests.length).toBe(asked);
    await expectSentAfterwards(profile, tab, conversationId, turnId);
  });

  it('with evidence that does not answer this call is refused', async () => {
    const { tab, profile } = await lab.openChat();
    const asked = lab.upstream.requests.length;
    profile.intercept = async (request, next) => {
      if (pathOf(request) !== '/v1/turns') return next(request);
      const other = await next(
        new Request(new URL('/v1/enclaves', request.url), {
          method: 'POST',
          headers: request.headers,
          body: JSON.stringify({ format: 1, nonce: toBase64Url(randomBytes(32)), model: 'default' }),
        }),
      );
      return jsonResponse({ error: 'enclave-changed', enclave: await other.json() }, 409);
    };
    const { turnId } = await tab.ask('To whom?');
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    expect(tab.answer(turnId).state).toMatchObject({ failure: { code: 'evidence-refused' } });
    expect(lab.upstream.requests.length).toBe(asked);
  });
});
