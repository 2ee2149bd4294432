import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

async function notesOf(tab: VaultTab, conversationId: string) {
  await tab.vault.openConversation({ conversationId });
  await tab.until(() => (tab.messages.get(conversationId) ?? []).length > 0);
  return (tab.messages.get(conversationId) ?? []).flatMap((message) =>
    message.role === 'user' ? message.notesBefore : message.notesAfter,
  );
}

/** Each verdict of the enclave that differs from the one before, with the minimum that the page knew when it came. */
function minimumsAtVerdicts(tab: VaultTab): string[] {
  let known = 'none';
  const verdicts = tab.events.flatMap((event) => {
    if (event.type === 'view' && event.name === 'minimum') known = event.value.effective;
    const isVerdict = event.type === 'enclave' && ['verified', 'refused'].includes(event.view.kind);
    return isVerdict ? [`${event.view.kind} ${known}`] : [];
  });
  return verdicts.filter((verdict, index) => verdict !== verdicts[index - 1]);
}

describe('a person’s own minimum', () => {
  it('refuses at once what is below it, keeps the words where they were written, and is said with its reason', async () => {
    const { profile, tab } = await lab.openChat();
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    expect(tab.enclave).toMatchObject({
      code: 'below-minimum',
      withoutMinimum: { kind: 'development', level: 'any', release: null },
    });
    expect(tab.minimum).toMatchObject({ account: { value: 'hardware' }, effective: 'hardware', strongest: 'any' });
    expect(await tab.refusal(tab.ask('Not for this one.'))).toEqual({ code: 'evidence-refused' });
    expect(profile.sentTurns).toEqual([]);
    expect(tab.conversations).toEqual([]);
    // Its accepted twin.
    await tab.vault.setMinimum({ level: 'any' });
    await tab.until(() => tab.enclave.kind === 'verified');
    const { turnId } = await tab.ask('For this one.');
    await tab.ended(turnId);
  });

  it('holds on every device of the account, and lies nowhere in clear', async () => {
    const { person, profile, tab } = await lab.openChat();
    await tab.vault.setMinimum({ level: 'hardware-gpu' });
    const second = await lab.signIn(person);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'refused');
    expect(second.tab.minimum?.effective).toBe('hardware-gpu');
    expect(profile.requests.filter(({ body }) => body.includes('hardware'))).toEqual([]);
  });

  it('is told before a refusal for it, after a command, a change by another device and a change of conversation', async () => {
    const { person, tab } = await lab.openChat();
    const asked = await tab.ask('Before there was a minimum.');
    await tab.ended(asked.turnId);
    const second = await lab.signIn(person);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'verified');
    await tab.vault.setConversationMinimum({ conversationId: asked.conversationId, level: 'stated' });
    await tab.vault.openConversation({ conversationId: asked.conversationId });
    await tab.until(() => tab.enclave.kind === 'refused');
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    await tab.vault.setMinimum({ level: 'hardware' });
    await tab.until(() => tab.enclave.kind === 'refused');
    await second.tab.until(() => second.tab.enclave.kind === 'refused');
    expect(minimumsAtVerdicts(tab)).toEqual(['verified any', 'refused stated', 'verified any', 'refused hardware']);
    expect(minimumsAtVerdicts(second.tab)).toEqual(['verified any', 'refused hardware']);
  });

  it('is checked again with what other devices wrote before anything leaves', async () => {
    const { person, profile, tab } = await lab.openChat();
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
    const { person, tab } = await lab.openChat();
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
    expect(slow.sentTurns).toEqual([]);
  });

  it('is lowered for one conversation by an act of its own, which the conversation remembers on every device', async () => {
    const { person, tab } = await lab.openChat();
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
    const { person, tab } = await lab.openChat();
    await tab.vault.setMinimum({ level: 'stated' });
    await tab.vault.setTheme({ theme: 'dark' });
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.theme === 'dark');
    expect(second.tab.minimum?.effective).toBe('stated');
  });
});
