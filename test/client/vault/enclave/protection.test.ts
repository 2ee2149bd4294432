import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recheckDocument } from '../../../../audit/document/recheck-document.ts';
import { parseVerificationDocument } from '../../../../crypto/evidence/verification-document.ts';
import { fromBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { developmentPolicy } from '../../../parts/evidence/development-policy.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

type Asked = { readonly conversationId: string; readonly turnId: string };

/** The keys that the requests of a turn were sealed to, in hex, in the order in which they were sent. */
function requestsOf(profile: BrowserProfile, turnId: string): string[] {
  return profile.sentTurns.flatMap(({ path, body }) => {
    const sent = JSON.parse(body) as { turnId?: string; request?: { recipients: { keyId: string }[] } };
    const isOfTurn = sent.turnId === turnId || path === `/v1/turns/${turnId}/attempts`;
    const keyId = sent.request?.recipients[0]?.keyId;
    return isOfTurn && keyId !== undefined ? [toHex(fromBase64Url(keyId))] : [];
  });
}

async function keyOf(tab: VaultTab, turnId: string): Promise<string | null | undefined> {
  return (await tab.vault.readVerification({ turnId }))?.enclaves[0]?.keyFingerprint;
}

/** True if the relay has the verification that is shown for the turn; the only one of its conversation. */
async function isShownStored(tab: VaultTab, { conversationId, turnId }: Asked): Promise<boolean> {
  const shown = await tab.vault.readVerification({ turnId });
  const { rows } = await tab.vault.relayView({ conversationId });
  return rows.some(({ facts }) => facts?.kind === 'verification' && facts.verifiedAtMs === shown?.verifiedAtMs);
}

describe('a policy that wants hardware to sign for each question', () => {
  it('asks the enclave for it, and others do not', async () => {
    const asked = async (policy: unknown) => {
      const profile = lab.profile({ policy });
      const { tab } = await lab.signUp(profile);
      await tab.vault.openConversation({ conversationId: null });
      await tab.until(() => tab.enclave.kind === 'verified');
      const { body } = profile.requests.find(({ path }) => path === '/v1/enclaves') ?? { body: '{}' };
      return (JSON.parse(body) as { freshEvidence?: true }).freshEvidence;
    };
    expect(await asked({ ...developmentPolicy, requireNonceInReport: true })).toBe(true);
    expect(await asked(developmentPolicy)).toBeUndefined();
  });
});

describe('an enclave that boots', () => {
  it('is said with the time since when, asked as the relay says, and no words are lost', async () => {
    const profile = lab.profile();
    let boots = 3;
    profile.intercept = async (request, next) =>
      new URL(request.url).pathname === '/v1/enclaves' && boots-- > 0
        ? new Response('{"error":"enclave-starting"}', { status: 503, headers: { 'retry-after': '1' } })
        : next(request);
    const { tab } = await lab.signUp(profile);
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'starting');
    const { turnId } = await tab.ask('Written while it boots.');
    await tab.until(() => tab.enclave.kind === 'verified');
    await tab.ended(turnId);
    const views = tab.events.flatMap((event) => (event.type === 'enclave' ? [event.view] : []));
    const since = views.flatMap((view) => (view.kind === 'starting' ? [view.sinceMs] : []));
    expect(new Set(since).size).toBe(1);
    // It does not flicker between "connecting" and "starting".
    const first = views.findIndex(({ kind }) => kind === 'starting');
    expect(views.slice(first).some(({ kind }) => kind === 'connecting')).toBe(false);
  });
});

describe('verification documents', () => {
  it('one for each verification, named by the turns that rest on it, and checked again without the vault', async () => {
    const { person, tab } = await lab.openChat();
    const first = await tab.ask('One.');
    await tab.ended(first.turnId);
    const second = await tab.ask('Two.', first.conversationId);
    await tab.ended(second.turnId);
    const view = await tab.vault.relayView({ conversationId: first.conversationId });
    expect(view.rows.filter(({ kindOfWords }) => kindOfWords === 'verification')).toHaveLength(1);
    const [one, two] = await Promise.all([first, second].map(({ turnId }) => tab.vault.readVerification({ turnId })));
    expect(one?.text).toBe(two?.text);
    expect(one).toMatchObject({
      minimum: 'any',
      enclaves: [{ claim: { kind: 'development', level: 'any', release: null } }],
    });
    const document = parseVerificationDocument(one?.text ?? '');
    expect((await recheckDocument(document, developmentPolicy)).holds).toBe(true);
    // On another device, from what the relay holds.
    const other = await lab.signIn(person);
    await other.tab.until(() => other.tab.conversations.length === 1);
    expect((await other.tab.vault.readVerification({ turnId: first.turnId }))?.text).toBe(one?.text);
  });

  it('the shield has one of its own, of a refusal too', async () => {
    const { tab } = await lab.openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    const view = await tab.vault.readVerification({ turnId: null });
    expect(view).toMatchObject({ evidenceDigest: null, enclaves: [{ claim: null }] });
    const document = parseVerificationDocument(view?.text ?? '');
    expect((await recheckDocument(document, developmentPolicy)).holds).toBe(false);
  });

  it('go with the last conversation that rests on them, and not before', async () => {
    const { tab } = await lab.openChat();
    const first = await tab.ask('In one conversation.');
    await tab.ended(first.turnId);
    const second = await tab.ask('In another.');
    await tab.ended(second.turnId);
    await tab.vault.deleteConversation({ conversationId: first.conversationId });
    await tab.until(() => tab.conversations.length === 1);
    expect(await tab.vault.readVerification({ turnId: second.turnId })).not.toBeNull();
    const before = await tab.vault.relayView({ conversationId: second.conversationId });
    const id = before.rows.find(({ kindOfWords }) => kindOfWords === 'verification')?.id ?? '';
    expect((await tab.vault.relayBytes({ id })).length).toBeGreaterThan(1000);
    await tab.vault.deleteConversation({ conversationId: second.conversationId });
    await expect.poll(async () => (await tab.vault.relayBytes({ id })).length).toBe(0);
  });

  it('an enclave that was replaced on the way is documented for each question that was on its way to it', async () => {
    const { profile, tab } = await lab.openChat();
    await lab.killWorker();
    await lab.startWorker();
    const turns = await Promise.all(['To whoever is there.', 'And so is this.'].map((text) => tab.ask(text)));
    const posted = ({ turnId }: Asked) => requestsOf(profile, turnId);
    for (const { turnId } of turns) await tab.ended(turnId);
    // The message of one at least names the enclave that is gone.
    expect(turns.some((turn) => new Set(posted(turn)).size === 2)).toBe(true);
    for (const turn of turns) {
      expect(await keyOf(tab, turn.turnId)).toBe(posted(turn).at(-1));
      await expect.poll(() => isShownStored(tab, turn)).toBe(true);
      expect(await keyOf(tab, turn.turnId)).toBe(posted(turn).at(-1));
    }
  });

  it('the verification of a question that was sealed anew is shown before the relay has it', async () => {
    const { profile, tab } = await lab.openChat();
    await lab.killWorker();
    await lab.startWorker();
    profile.intercept = async (request, next) =>
      request.method === 'POST' && new URL(request.url).pathname === '/v1/items'
        ? new Response(null, { status: 503 })
        : next(request);
    const turn = await tab.ask('To whoever is there now.');
    await tab.ended(turn.turnId);
    const posted = requestsOf(profile, turn.turnId);
    expect(new Set(posted).size).toBe(2);
    expect(await isShownStored(tab, turn)).toBe(false);
    expect(await keyOf(tab, turn.turnId)).toBe(posted.at(-1));
  });
});
