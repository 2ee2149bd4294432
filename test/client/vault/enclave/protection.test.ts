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

async function openChat() {
  const signedUp = await lab.signUp();
  await signedUp.tab.vault.openConversation({ conversationId: null });
  await signedUp.tab.until(() => signedUp.tab.enclave.kind === 'verified');
  return signedUp;
}

const sentTurns = (requests: BrowserProfile['requests']) =>
  requests.filter(({ method, path }) => method === 'POST' && path.startsWith('/v1/turns'));

type Asked = { readonly conversationId: string; readonly turnId: string };

/** The keys that the requests of a turn were sealed to, in hex, in the order in which they were sent. */
function requestsOf(requests: BrowserProfile['requests'], turnId: string): string[] {
  return sentTurns(requests).flatMap(({ path, body }) => {
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

async function notesOf(tab: VaultTab, conversationId: string) {
  await tab.vault.openConversation({ conversationId });
  await tab.until(() => (tab.messages.get(conversationId) ?? []).length > 0);
  return (tab.messages.get(conversationId) ?? []).flatMap((message) =>
    message.role === 'user' ? message.notesBefore : message.notesAfter,
  );
}

describe('a person’s own minimum', () => {
  it('refuses at once what is below it, keeps the words where they were written, and is said with its reason', async () => {
    const { profile, tab } = await openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    expect(tab.enclave).toMatchObject({
      code: 'below-minimum',
      withoutMinimum: { kind: 'development', level: 'any', release: null },
    });
    expect(tab.minimum).toMatchObject({ account: { value: 'hardware' }, effective: 'hardware', strongest: 'any' });
    expect(await tab.refusal(tab.ask('Not for this one.'))).toEqual({ code: 'evidence-refused' });
    expect(sentTurns(profile.requests)).toEqual([]);
    expect(tab.conversations).toEqual([]);
    // Its accepted twin.
    await tab.vault.setMinimum({ level: 'any' });
    await tab.until(() => tab.enclave.kind === 'verified');
    const { turnId } = await tab.ask('For this one.');
    await tab.ended(turnId);
  });

  it('holds on every device of the account, and lies nowhere in clear', async () => {
    const { person, profile, tab } = await openChat();
    await tab.vault.setMinimum({ level: 'hardware-gpu' });
    const second = await lab.signIn(person);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'refused');
    expect(second.tab.minimum?.effective).toBe('hardware-gpu');
    expect(profile.requests.filter(({ body }) => body.includes('hardware'))).toEqual([]);
  });

  it('is checked again with what other devices wrote before anything leaves', async () => {
    const { person, profile, tab } = await openChat();
    // The second device hears nothing of it until it has to: its batch conflicts with what the first one wrote.
    const deaf = lab.profile();
    deaf.intercept = async (request, next) =>
      new URL(request.url).pathname === '/v1/live' ? new Response(null, { status: 503 }) : next(request);
    const second = await lab.signIn(person, deaf);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'verified');
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    await expect.poll(() => profile.requests.some(({ path }) => path === '/v1/items')).toBe(true);
    const { turnId } = await second.tab.ask('Sent in ignorance.');
    const ended = await second.tab.ended(turnId);
    expect(ended.state).toMatchObject({ kind: 'unsent', failure: { code: 'evidence-refused' } });
    expect(lab.upstream.requests.some(({ body }) => JSON.stringify(body).includes('in ignorance'))).toBe(false);
  });

  it('is known before a new device sends its first words, however slow the relay is with it', async () => {
    const { person, tab } = await openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    const slow = lab.profile();
    let isHeld = true;
    slow.intercept = async (request, next) => {
      const { pathname } = new URL(request.url);
      const isWithheld = pathname === '/v1/live' || (pathname === '/v1/items' && request.method === 'GET' && isHeld);
      return isWithheld ? new Response(null, { status: 503 }) : next(request);
    };
    const second = await lab.signIn(person, slow);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'verified');
    const { turnId } = await second.tab.ask('Written before anything was read.');
    isHeld = false;
    const ended = await second.tab.ended(turnId);
    expect(ended.state).toMatchObject({ kind: 'unsent', failure: { code: 'evidence-refused' } });
    expect(sentTurns(slow.requests)).toEqual([]);
  });

  it('is lowered for one conversation by an act of its own, which the conversation remembers on every device', async () => {
    const { person, tab } = await openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    await tab.vault.setConversationMinimum({ conversationId: null, level: 'any' });
    await tab.until(() => tab.enclave.kind === 'verified');
    const { conversationId, turnId } = await tab.ask('Harmless.');
    await tab.vault.openConversation({ conversationId });
    await tab.ended(turnId);
    expect(tab.minimum).toMatchObject({ effective: 'any', conversation: { value: 'any' } });
    const note = expect.objectContaining({ kind: 'minimum-set', level: 'any', isLower: true });
    expect(await notesOf(tab, conversationId)).toEqual([note]);
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.conversations.length === 1);
    expect(await notesOf(second.tab, conversationId)).toEqual([note]);
    await second.tab.until(() => second.tab.enclave.kind === 'verified');

    // Every other conversation asks for what it asked before.
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'refused');
    expect(await tab.refusal(tab.ask('Not harmless.'))).toEqual({ code: 'evidence-refused' });

    // Raising takes back what was lowered.
    await tab.vault.openConversation({ conversationId });
    await tab.until(() => tab.enclave.kind === 'verified');
    await tab.vault.setMinimum({ level: 'hardware-gpu' });
    await tab.until(() => tab.enclave.kind === 'refused');
    expect(await tab.refusal(tab.ask('Once more.', conversationId))).toEqual({ code: 'evidence-refused' });
  });

  it('a theme that is set later leaves the minimum as it is', async () => {
    const { person, tab } = await openChat();
    await tab.vault.setMinimum({ level: 'stated' });
    await tab.vault.setTheme({ theme: 'dark' });
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.theme === 'dark');
    expect(second.tab.minimum?.effective).toBe('stated');
  });
});

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
    const { person, tab } = await openChat();
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
    const { tab } = await openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    const view = await tab.vault.readVerification({ turnId: null });
    expect(view).toMatchObject({ evidenceDigest: null, enclaves: [{ claim: null }] });
    const document = parseVerificationDocument(view?.text ?? '');
    expect((await recheckDocument(document, developmentPolicy)).holds).toBe(false);
  });

  it('go with the last conversation that rests on them, and not before', async () => {
    const { tab } = await openChat();
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
    const { profile, tab } = await openChat();
    await lab.killWorker();
    await lab.startWorker();
    const turns = await Promise.all(['To whoever is there.', 'And so is this.'].map((text) => tab.ask(text)));
    const posted = ({ turnId }: Asked) => requestsOf(profile.requests, turnId);
    for (const { turnId } of turns) await tab.ended(turnId);
    // The message of one at least names the enclave that is gone.
    expect(turns.some((turn) => new Set(posted(turn)).size === 2)).toBe(true);
    for (const turn of turns) {
      expect(await keyOf(tab, turn.turnId)).toBe(posted(turn).at(-1));
      await expect.poll(() => isShownStored(tab, turn)).toBe(true);
      expect(await keyOf(tab, turn.turnId)).toBe(posted(turn).at(-1));
    }
  });

  it('what a question was sealed anew on is shown before the relay has it', async () => {
    const { profile, tab } = await openChat();
    await lab.killWorker();
    await lab.startWorker();
    profile.intercept = async (request, next) =>
      request.method === 'POST' && new URL(request.url).pathname === '/v1/items'
        ? new Response(null, { status: 503 })
        : next(request);
    const turn = await tab.ask('To whoever is there now.');
    await tab.ended(turn.turnId);
    const posted = requestsOf(profile.requests, turn.turnId);
    expect(new Set(posted).size).toBe(2);
    expect(await isShownStored(tab, turn)).toBe(false);
    expect(await keyOf(tab, turn.turnId)).toBe(posted.at(-1));
  });
});
