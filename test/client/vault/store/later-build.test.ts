import { IDBKeyRange } from 'fake-indexeddb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import {
  concat,
  encodeUtf8,
  fromBase64Url,
  randomBytes,
  toBase64Url,
} from '../../../../crypto/protocol/bytes/bytes.ts';
import type { SyncAnswer } from '../../../../crypto/protocol/messages/item-messages.ts';
import { encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';
import { cryptoReady, signIn } from '../../../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../../../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../../../parts/users/with-keys/node-relay.ts';
import { pathOf, storeConversation } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';
import type { Person } from '../../../parts/users/person.ts';

let lab: DeviceLab;
beforeAll(async () => {
  await cryptoReady();
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

async function openChat(profile = lab.profile()) {
  const signedUp = await lab.signUp(profile);
  await signedUp.tab.vault.openConversation({ conversationId: null });
  await signedUp.tab.until(() => signedUp.tab.enclave.kind === 'verified');
  return signedUp;
}

/** Another device of the account, with a build that knows more than this one. */
class LaterBuild {
  readonly #device: NodeDevice;

  private constructor(device: NodeDevice) {
    this.#device = device;
  }

  static async signIn({ userName, password }: Person): Promise<LaterBuild> {
    const relay = new NodeRelay(lab.origin);
    return new LaterBuild(new NodeDevice(relay, await signIn(relay, userName, password)));
  }

  /** Writes a new item, of whatever type. @returns its id. */
  async write(type: string, members: object): Promise<string> {
    await this.#device.pull();
    const id = randomBytes(16);
    const bytes = concat(Uint8Array.of(type.length), encodeUtf8(type), encodeCanonicalJson(members));
    await this.#device.relay.expect(200, 'POST', '/v1/items', this.#device.batchOf([{ id, version: 1, bytes }]));
    return toBase64Url(id);
  }

  /** Reads the whole vault and checks it against its head. @returns version and flags of one item. */
  async find(id: string) {
    await this.#device.pull();
    return this.stored(id);
  }

  /** The relay's copy of one item. */
  async stored(id: string) {
    const page = await this.#device.relay.expect<SyncAnswer>(200, 'GET', '/v1/items?afterCounter=0&limit=500');
    const item = page.items.find((each) => each.id === id);
    return item === undefined ? null : { version: item.version, flags: item.flags, bodyState: item.bodyState };
  }

  /** Writes the one item of a type once more, with other members. @returns its id. */
  async rewrite(type: string, members: object): Promise<string> {
    const { stored, relay } = this.#device;
    if (stored.size === 0) await this.#device.pull();
    const [id, before] = [...stored].find(([, { content }]) => content.type === type) ?? [];
    if (id === undefined || before === undefined) throw new Error('There is no such item.');
    const { type: _type, ...known } = before.content;
    const bytes = concat(Uint8Array.of(type.length), encodeUtf8(type), encodeCanonicalJson({ ...known, ...members }));
    const version = before.version + 1;
    await relay.expect(200, 'POST', '/v1/items', this.#device.batchOf([{ id: fromBase64Url(id), version, bytes }]));
    stored.set(id, { ...before, version });
    return id;
  }
}

const minimum = (value: string) => ({ minimumProtection: { value, setAtMs: Date.now() } });
const posted = ({ requests }: BrowserProfile, path: string) =>
  requests.filter((request) => request.method === 'POST' && request.path.startsWith(path));

/** Until the relay has the settings that this tab made. */
async function storeSettings(profile: BrowserProfile, tab: VaultTab): Promise<void> {
  await tab.vault.setTheme({ theme: 'dark' });
  await tab.until(() => posted(profile, '/v1/items').length > 0);
  // Waits for the vault's lock, so that the batch is kept.
  await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
}

describe('settings of a later build', () => {
  it.each([
    ['a member more', { newMember: 1 }],
    ['another format', { format: 2 }],
    ['a level that this build does not know', minimum('two-machines')],
  ])('with %s: nothing is sealed, and the words stay where they were written', async (_, members) => {
    const { person, profile, tab } = await openChat();
    await storeSettings(profile, tab);
    const later = await LaterBuild.signIn(person);
    await later.rewrite('settings', { ...minimum('hardware'), ...members });
    await tab.until(() => tab.theme === 'system');
    expect(await tab.refusal(tab.ask('Not for this one.'))).toEqual({ code: 'other-version' });
    expect(posted(profile, '/v1/turns')).toEqual([]);
    // Its accepted twin: what this build can read, and a minimum that the enclave meets.
    await later.rewrite('settings', minimum('any'));
    await tab.until(() => tab.theme === 'dark');
    const { turnId } = await tab.ask('For this one.');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
  });

  it('that come while a question is on its way keep it here, and it says why', async () => {
    const { person, profile, tab } = await openChat();
    await storeSettings(profile, tab);
    // This device hears nothing of it until it has to: its batch conflicts with what the later build wrote.
    const deaf = lab.profile();
    deaf.intercept = async (request, next) =>
      pathOf(request) === '/v1/live' ? new Response(null, { status: 503 }) : next(request);
    const second = await lab.signIn(person, deaf);
    await second.tab.vault.openConversation({ conversationId: null });
    await second.tab.until(() => second.tab.enclave.kind === 'verified' && second.tab.theme === 'dark');
    await (await LaterBuild.signIn(person)).rewrite('settings', { newMember: 1 });
    const { turnId } = await second.tab.ask('Sent in ignorance.');
    const ended = await second.tab.ended(turnId);
    expect(ended.state).toEqual({ kind: 'unsent', failure: { code: 'other-version' } });
    expect(second.tab.question(turnId)).toMatchObject({ text: 'Sent in ignorance.', stored: false });
    expect(lab.upstream.requests.some(({ body }) => JSON.stringify(body).includes('in ignorance'))).toBe(false);
  });

  it('are still unreadable after a reload', async () => {
    const { person, profile, tab } = await openChat();
    await storeSettings(profile, tab);
    await (await LaterBuild.signIn(person)).rewrite('settings', { newMember: 1 });
    await tab.until(() => tab.theme === 'system');
    tab.abandon();
    const reloaded = await profile.openTab();
    expect(await reloaded.refusal(reloaded.ask('Not for this one.'))).toEqual({ code: 'other-version' });
  });
});

describe('a conversation of a later build', () => {
  it('stays in the list, takes no question, can be deleted; others are as they were', async () => {
    const { person, tab } = await openChat();
    const conversationId = await storeConversation(tab, 'A question of mine');
    const later = await LaterBuild.signIn(person);
    expect(await later.rewrite('conversation', { pinned: true })).toBe(conversationId);
    await tab.until(() => tab.conversations[0]?.title === null);
    expect(tab.texts(conversationId)).toContain('A question of mine');
    expect(await tab.refusal(tab.ask('Not here.', conversationId))).toEqual({ code: 'other-version' });
    const { turnId } = await tab.ask('In another.');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    await tab.vault.deleteConversation({ conversationId });
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.titles().join() === 'In another.');
  });
});

describe('an item of a type that a later build made up', () => {
  it.each([
    ['that names a conversation', (conversationId: string) => ({ conversationId, format: 1, words: 'From later.' })],
    ['of any other form', () => ({ anything: [1, 'two', null] })],
  ])('%s: is kept, counted by the head, brought to each device, and never deleted', async (_, membersOf) => {
    const { person, profile, tab } = await openChat();
    const conversationId = await storeConversation(tab, 'A question of mine');
    const later = await LaterBuild.signIn(person);
    const id = await later.write('weather-report', membersOf(conversationId));
    const kept = { version: 1, flags: 0, bodyState: 'here' };
    // A write of this build on top of it counts it: the later build reads a vault whose root agrees.
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.until(() => posted(profile, '/v1/items').length > 0);
    await tab.vault.relayView({ conversationId });
    expect(await later.find(id)).toEqual(kept);
    // It says nothing of where questions may go, and keeps none from going.
    const { turnId } = await tab.ask('Beside it.');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    await tab.vault.deleteConversation({ conversationId });
    await tab.until(() => tab.titles().join() === 'Beside it.');
    const newPassword = 'An entirely new lighthouse 91!';
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    // The change ended the sessions of all other devices.
    const again = await LaterBuild.signIn({ ...person, password: newPassword });
    expect(await again.find(id)).toEqual(kept);
    // A device that reads everything, and one that goes on from its cache.
    const second = await lab.signIn({ ...person, password: newPassword });
    await second.tab.until(() => second.tab.theme === 'dark');
    tab.abandon();
    const reloaded = await profile.openTab();
    await reloaded.vault.setTheme({ theme: 'light' });
    await second.tab.until(() => second.tab.theme === 'light');
    expect([...reloaded.alarms, ...second.tab.alarms]).toEqual([]);
    expect(await again.find(id)).toEqual(kept);
  });
});

describe('a preference of a later build', () => {
  it('in another form is kept, counted by the head, and keeps no question from going', async () => {
    const { person, tab } = await openChat();
    const later = await LaterBuild.signIn(person);
    const id = await later.write('preference', { format: 2, name: 'account-note', value: ['Mine.'] });
    await tab.vault.setTheme({ theme: 'dark' });
    const { conversationId, turnId } = await tab.ask('Beside it.');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    await tab.vault.deleteConversation({ conversationId });
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.theme === 'dark' && second.tab.titles().length === 0);
    expect(await later.stored(id)).toEqual({ version: 1, flags: 0, bodyState: 'here' });
    expect([...tab.alarms, ...second.tab.alarms]).toEqual([]);
  });
});

/** Another byte in the one item that the cache holds. */
async function breakCache({ indexedDB }: BrowserProfile, place: number): Promise<void> {
  const cache = new CiphertextCache(openIndexedDbCache({ indexedDB, IDBKeyRange }));
  await cache.open();
  const mark = await cache.readMark();
  const items = await cache.readAllItems();
  if (mark === null || items.length !== 1) throw new Error('The cache holds something else.');
  const puts = items.map((item) => ({
    ...item,
    body: item.body?.map((byte, at) => (at === place ? byte + 1 : byte)) ?? null,
  }));
  await cache.commit({ mark, puts, deletes: [] });
  cache.close();
}

describe.each([
  ['in its header', 0],
  ['behind it', 60],
])('a damage in the cache of this browser: %s', (_, place) => {
  it('is fetched anew', async () => {
    const { profile, tab } = await openChat();
    await storeSettings(profile, tab);
    tab.abandon();
    await breakCache(profile, place);
    profile.setOnline(false);
    const reloaded = await profile.openTab();
    expect(await reloaded.refusal(reloaded.ask('Before it is whole.'))).toEqual({ code: 'other-version' });
    profile.setOnline(true);
    await reloaded.until(() => reloaded.theme === 'dark');
    const { turnId } = await reloaded.ask('Once it is whole.');
    expect((await reloaded.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
  });

  it('keeps a question waiting that was asked before, and no longer than that', async () => {
    const { profile, tab } = await openChat();
    await storeSettings(profile, tab);
    profile.setOnline(false);
    const { conversationId, turnId } = await tab.ask('Asked before it broke.');
    profile.closeTab(tab);
    await breakCache(profile, place);
    const reloaded = await profile.openTab();
    await reloaded.vault.openConversation({ conversationId });
    // Tried, and not given up: it waits for a relay that is not there.
    await reloaded.until(() => reloaded.connection === 'offline');
    await reloaded.until(() => reloaded.stateOf(turnId) === 'connecting');
    profile.setOnline(true);
    expect((await reloaded.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    expect(reloaded.alarms).toEqual([]);
  });
});
