/* oxlint-disable typescript/no-unsafe-member-access -- what a lying relay says has no type. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url } from '../../../crypto/primitives/bytes.ts';
import type { BrowserProfile } from '../../parts/browser-profile.ts';
import { DeviceLab } from '../../parts/device-lab.ts';
import { makeAmdMachine } from '../../parts/evidence/amd-machine.ts';
import { hardwarePolicy, makeHardwareAnswer } from '../../parts/evidence/hardware-answer.ts';
import { answerInstead, jsonResponse, pathOf } from '../../parts/tamper.ts';

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
  const answer = await makeHardwareAnswer({
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

function sentTurns(profile: BrowserProfile) {
  return profile.requests.filter(({ path, method }) => method === 'POST' && path.startsWith('/v1/turns'));
}

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
    expect(sentTurns(profile)).toEqual([]);
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
    expect(sentTurns(profile)).toEqual([]);
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

it.each([true, false])('a policy that wants the very nonce signed (%s) has it asked for', async (isWanted) => {
  const profile = lab.profile({ policy: { ...policy, requireNonceInReport: isWanted } });
  const { tab } = await lab.signUp(profile);
  profile.intercept = showGenuine;
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.enclave.level === 'hardware');
  const [call] = profile.requests.filter(({ path }) => enclaves.test(path));
  expect(JSON.parse(call?.body ?? '').freshEvidence).toBe(isWanted ? true : undefined);
});
