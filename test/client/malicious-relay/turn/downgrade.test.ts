/* oxlint-disable typescript/no-unsafe-member-access -- what a lying relay says has no type. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../../../parts/evidence/hardware-attestation.ts';
import { answerInstead, changeRequest, jsonResponse, pathOf } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const enclaves = /^\/v1\/enclaves$/;
const chip = makeAmdMachine();
/** A build that takes the genuine machine as well as the relay's own, and a person who asks for nothing. */
const policy = hardwarePolicy({
  measured: { sevSnp: [chip.measurement], tdx: [] },
  sevSnp: chip.policy,
  allowedKinds: ['sev-snp', 'development'],
  minimum: 'any',
});
/** Longer than anything that was verified stays fresh. */
const longMs = 20 * 60_000;

const showGenuine = answerInstead(enclaves, async (request) => {
  const asked = (await request.clone().json()) as { nonce: string; freshEvidence?: true };
  const nonce = fromBase64Url(asked.nonce);
  const answer = await makeHardwareAttestation({
    nonce,
    machine: (expected) => chip.makeEvidence({ expected }),
    ...(asked.freshEvidence === true ? { binding: { freshness: nonce } } : {}),
  });
  return jsonResponse({
    ...answer,
    enclaveId: 'genuine',
    status: { state: 'ready', reason: 'server-given', next: null },
  });
});

/** The shield says that genuine hardware protects, and has said so for a while. */
async function openBeforeGenuine() {
  const profile = lab.profile({ policy });
  const { tab } = await lab.signUp(profile);
  profile.intercept = showGenuine;
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.enclave.level === 'hardware');
  profile.monotonicOffsetMs = longMs;
  return { profile, tab };
}

describe('between what the shield shows and what is sealed', () => {
  it('a lesser enclave that the relay brings up while Send waits gets nothing before the person has seen it', async () => {
    const { profile, tab } = await openBeforeGenuine();
    const asked = lab.upstream.requests.length;
    profile.intercept = null;
    const { turnId, conversationId } = await tab.ask('For the hardware that was shown.');
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    expect(tab.answer(turnId).state).toMatchObject({ failure: { code: 'enclave-changed' } });
    expect(profile.sentTurns).toEqual([]);
    expect(lab.upstream.requests.length).toBe(asked);
    // Seen and wanted all the same.
    expect(tab.enclave).toMatchObject({ kind: 'verified', level: 'any' });
    await tab.vault.retry({ conversationId, turnId });
    await tab.until(() => tab.texts(conversationId).includes('In a low voice.'));
  });

  it('nor when the same words are asked again', async () => {
    const { profile, tab } = await openBeforeGenuine();
    const asked = lab.upstream.requests.length;
    profile.intercept = null;
    const { turnId, conversationId } = await tab.ask('Once.');
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    profile.intercept = showGenuine;
    profile.monotonicOffsetMs = 2 * longMs;
    await tab.vault.openConversation({ conversationId });
    await tab.until(() => tab.enclave.kind === 'verified' && tab.enclave.level === 'hardware');
    profile.intercept = null;
    profile.monotonicOffsetMs = 3 * longMs;
    await tab.vault.retry({ conversationId, turnId });
    await tab.until(() => {
      const failed = tab.messages.get(conversationId)?.at(-1);
      return failed?.role === 'assistant' && failed.state.kind === 'unsent';
    });
    expect(profile.sentTurns).toEqual([]);
    expect(lab.upstream.requests.length).toBe(asked);
  });

  it('a minimum that was set for a new chat goes with its first question, wherever the person looks meanwhile', async () => {
    const { profile, tab } = await openBeforeGenuine();
    await tab.vault.setConversationMinimum({ conversationId: null, level: 'hardware' });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    profile.intercept = async (request, next) => {
      if (enclaves.test(pathOf(request))) await held;
      return showGenuine(request, next);
    };
    const asking = tab.ask('Not below hardware.');
    await expect.poll(() => profile.requests.filter(({ path }) => enclaves.test(path)).length).toBe(2);
    // The relay takes its time, and the person looks at something else.
    await tab.vault.openConversation({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    release();
    const { conversationId } = await asking;
    await tab.vault.openConversation({ conversationId });
    await tab.until(() => tab.minimum?.conversation !== null);
    expect(tab.minimum).toMatchObject({ effective: 'hardware', conversation: { value: 'hardware' } });
  });
});

describe('a question that is stored, and whose enclave the relay is asked for again', () => {
  /** The relay has the question, says that its enclave forgot its key, and lets the next offer wait. */
  async function askAndHold() {
    const { profile, tab } = await openBeforeDevelopment();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const refusedAttempts: string[] = [];
    let isHolding = false;
    profile.intercept = async (request, next) => {
      const path = pathOf(request);
      if (path === '/v1/turns') {
        // An enclave that nobody knows: the items are stored, and the relay offers one that there is.
        return changeRequest(/./, (body) => (body.enclaveId = 'A'.repeat(22)))(request, next);
      }
      if (/^\/v1\/turns\/[^/]+\/attempts$/.test(path) && refusedAttempts.length === 0) {
        refusedAttempts.push(path);
        isHolding = true;
        return jsonResponse({ error: 'unknown-key' }, 409);
      }
      if (enclaves.test(path) && isHolding) await held;
      return next(request);
    };
    const asked = lab.upstream.requests.length;
    const offers = profile.requests.filter(({ path }) => enclaves.test(path)).length;
    const { turnId, conversationId } = await tab.ask('Only for as long as it stands.');
    await expect.poll(() => profile.requests.filter(({ path }) => enclaves.test(path)).length).toBeGreaterThan(offers);
    expect(tab.question(turnId).stored).toBe(true);
    const attempts = () => profile.requests.filter(({ path }) => path.endsWith('/attempts')).length;
    const isAsked = () => lab.upstream.requests.length > asked;
    return { profile, tab, turnId, conversationId, release, attempts, isAsked };
  }

  /** Asked when all is well again: once it has passed, what was to go before it has gone, or never will. */
  async function askNext(tab: VaultTab) {
    const { turnId } = await tab.ask('The next one.');
    const { text } = await tab.ended(turnId);
    return { text, messages: lab.upstream.requests.at(-1)?.body.messages };
  }
  const nextAlone = { text: 'In a low voice.', messages: [{ role: 'user', content: 'The next one.' }] };

  async function openBeforeDevelopment() {
    const profile = lab.profile({ policy });
    const { tab } = await lab.signUp(profile);
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    return { profile, tab };
  }

  it('goes to the one that is offered, as nothing was said against it', async () => {
    const { tab, turnId, release, attempts, isAsked } = await askAndHold();
    release();
    expect((await tab.ended(turnId)).text).toBe('In a low voice.');
    expect([attempts(), isAsked()]).toEqual([2, true]);
  });

  it.each(['account', 'conversation'] as const)(
    'does not go below a minimum that was raised meanwhile (%s)',
    async (whose) => {
      const { tab, turnId, conversationId, release, attempts, isAsked } = await askAndHold();
      if (whose === 'account') await tab.vault.setMinimum({ level: 'hardware' });
      else await tab.vault.setConversationMinimum({ conversationId, level: 'hardware' });
      release();
      await tab.until(() => tab.stateOf(turnId) === 'unsent');
      expect(tab.answer(turnId).state).toMatchObject({ failure: { code: 'evidence-refused' } });
      expect([attempts(), isAsked()]).toEqual([1, false]);
    },
  );

  it('does not go below a minimum that was raised in another tab', async () => {
    const { tab, turnId, release, attempts, isAsked, profile } = await askAndHold();
    const other = await profile.openTab();
    await other.vault.setMinimum({ level: 'hardware' });
    release();
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    expect([attempts(), isAsked()]).toEqual([1, false]);
  });

  it('does not go once it was stopped', async () => {
    const { tab, turnId, release, attempts } = await askAndHold();
    await tab.vault.stop({ turnId });
    release();
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'stopped' });
    expect(await askNext(tab)).toEqual(nextAlone);
    expect(attempts()).toBe(2);
  });

  it('does not go once its conversation was deleted', async () => {
    const { tab, conversationId, release, attempts } = await askAndHold();
    await tab.vault.deleteConversation({ conversationId });
    release();
    expect(await askNext(tab)).toEqual(nextAlone);
    expect(attempts()).toBe(2);
  });
});

it.each([true, false])('a policy that wants the very nonce signed (%s) has it asked for', async (isWanted) => {
  const profile = lab.profile({ policy: { ...policy, requireNonceInReport: isWanted } });
  const { tab } = await lab.signUp(profile);
  profile.intercept = showGenuine;
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.enclave.level === 'hardware');
  const [call] = profile.requests.filter(({ path }) => enclaves.test(path));
  expect(JSON.parse(call?.body ?? '').freshEvidence).toBe(isWanted ? true : undefined);
});
