import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrunedAnswer } from '../../../../crypto/protocol/messages/item-messages.ts';
import {
  type Bytes,
  encodeUtf8,
  fromBase64Url,
  randomBytes,
  toBase64Url,
} from '../../../../crypto/protocol/bytes/bytes.ts';
import { changeJson, jsonResponse, pathOf, storeConversation } from '../../../parts/relay/tamper.ts';
import type { BrowserProfile, Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { cryptoReady, signIn } from '../../../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../../../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../../../parts/users/with-keys/node-relay.ts';

let lab: DeviceLab;
beforeAll(async () => {
  await cryptoReady();
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

const unknown = encodeUtf8('\u0004madeX');

/** A browser that is offline, and another device of its account. */
async function leave() {
  const { person, profile, tab } = await lab.signUp();
  const relay = new NodeRelay(lab.origin);
  const device = new NodeDevice(relay, await signIn(relay, person.userName, person.password));
  await device.pull();
  const send = (batch: object) => relay.expect(200, 'POST', '/v1/items', batch);
  const write = (ids: readonly Bytes[], version = 1) =>
    send(device.batchOf(ids.map((id) => ({ id, version, bytes: unknown }))));
  const bury = (ids: readonly Bytes[], version = 2) =>
    send(device.batchOf(ids.map((id) => ({ id, version, bytes: null }))));
  const prune = (ids: readonly Bytes[]) => send(device.batchOf([], ids));
  const ids = Array.from({ length: 4 }, () => randomBytes(16));
  await write(ids);
  await tab.vault.setTheme({ theme: 'dark' });
  await tab.until(() => profile.requests.some(({ method, path }) => method === 'POST' && path === '/v1/items'));
  // Waits for the vault's lock, so that the batch is kept.
  await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
  await device.pull();
  profile.setOnline(false);
  await tab.until(() => tab.connection === 'offline');
  return { person, profile, tab, device, ids, write, bury, prune };
}

type Away = Awaited<ReturnType<typeof leave>>;

/** Lists what was asked of the relay until a later write of the other device showed. */
async function comeBack({ profile, tab, device }: Away): Promise<string[]> {
  const before = profile.requests.length;
  const setAtMs = Date.now() + 60_000;
  const content = { type: 'settings', format: 1, theme: { value: 'light', setAtMs } } as const;
  await device.relay.expect(200, 'POST', '/v1/items', device.batch([{ id: randomBytes(16), content }]));
  profile.setOnline(true);
  await tab.until(() => tab.theme === 'light');
  expect(tab.alarms).toEqual([]);
  return asked(profile, before);
}

const asked = ({ requests }: BrowserProfile, from: number): string[] =>
  requests.slice(from).flatMap(({ path }) => (/^\/v1\/(items|pruned-items)\?/.test(path) ? [path] : []));
const whole = (paths: readonly string[]) => paths.filter((path) => path.startsWith('/v1/items?afterCounter=0&'));

const pruned = (change: (answer: PrunedAnswer) => PrunedAnswer): Interceptor =>
  changeJson(/^\/v1\/pruned-items$/, (answer) => change(answer as PrunedAnswer));

/** The relay gives one id a page. */
const smallPages: Interceptor = async (request, next) => {
  if (pathOf(request) !== '/v1/pruned-items') return next(request);
  const { headers, signal } = request;
  return next(new Request(request.url.replace(/limit=\d+/, 'limit=1'), { headers, signal }));
};

describe('a device that was away while leaves were pruned', () => {
  it('is told which, and reads what changed alone', async () => {
    const away = await leave();
    const [first, second, third] = away.ids as [Bytes, Bytes, Bytes, Bytes];
    await away.bury([first, second]);
    await away.prune([first]);
    await away.bury([third]);
    await away.prune([second, third]);
    const paths = await comeBack(away);
    expect(whole(paths)).toEqual([]);
    expect(paths.filter((path) => path.startsWith('/v1/pruned-items?'))).toHaveLength(1);
    // Its own next write stands on the same root.
    await away.tab.vault.setTheme({ theme: 'dark' });
    await away.tab.until(() => away.tab.theme === 'dark');
    await away.device.pull();
  });

  it('is told page by page, and each page goes on where the last one ended', async () => {
    const away = await leave();
    await away.bury(away.ids);
    await away.prune(away.ids.slice(0, 3));
    await away.prune(away.ids.slice(3));
    away.profile.intercept = smallPages;
    const paths = await comeBack(away);
    expect(whole(paths)).toEqual([]);
    // Four ids: the fourth page says that it is the last one.
    expect(paths.filter((path) => path.startsWith('/v1/pruned-items?'))).toHaveLength(4);
  });

  it('takes out no leaf that was pruned only after the head that it reads', async () => {
    const away = await leave();
    const [first, second, third] = away.ids as [Bytes, Bytes, Bytes, Bytes];
    await away.bury([first, second]);
    await away.prune([first]);
    let isOvertaken = false;
    away.profile.intercept = async (request, next) => {
      if (pathOf(request) === '/v1/pruned-items' && !isOvertaken) {
        isOvertaken = true;
        await away.prune([second]);
        await away.bury([third]);
      }
      return next(request);
    };
    expect(whole(await comeBack(away))).toEqual([]);
    expect(isOvertaken).toBe(true);
  });

  it('lets no edit bring back what was deleted and pruned, and gives the words of a question back', async () => {
    const away = await leave();
    const { profile, tab, device } = away;
    profile.setOnline(true);
    const conversationId = await storeConversation(tab, 'Gone by then');
    profile.setOnline(false);
    await tab.until(() => tab.connection === 'offline');
    await device.pull();
    const ids = [...device.stored]
      .filter(([, { content }]) => content.type !== 'settings')
      .map(([id]) => fromBase64Url(id));
    await away.bury(ids);
    await away.prune(ids);
    await tab.vault.renameConversation({ conversationId, title: 'Named too late' });
    await tab.ask('Asked too late', conversationId);
    expect(whole(await comeBack(away))).toEqual([]);
    await tab.until(() => tab.returned.includes('Asked too late'));
    expect(tab.titles()).toEqual([]);
    expect((await device.pull()).map(({ type }) => type)).toEqual(['settings', 'settings']);
  });

  it.each<[string, (ids: readonly Bytes[]) => Interceptor]>([
    ['keeps one to itself', () => pruned((answer) => ({ ...answer, pruned: answer.pruned.slice(1) }))],
    ['tells none', () => pruned((answer) => ({ ...answer, pruned: [] }))],
    [
      'names a living item',
      (ids) =>
        pruned(({ pruned: told, ...answer }) => {
          const id = toBase64Url(ids.at(-1) ?? new Uint8Array(16));
          const last = told.at(-1) ?? { counter: 1 };
          return { ...answer, pruned: [...told, { id, counter: last.counter + 1 }] };
        }),
    ],
    [
      'is of an earlier build and knows no such call',
      () => async (request, next) =>
        pathOf(request) === '/v1/pruned-items' ? jsonResponse({ error: 'not-found' }, 404) : next(request),
    ],
  ])('reads everything where the relay %s, and raises no alarm', async (_, lie) => {
    const away = await leave();
    const [first, second] = away.ids as [Bytes, Bytes];
    await away.bury([first, second]);
    await away.prune([first, second]);
    away.profile.intercept = lie(away.ids);
    expect(whole(await comeBack(away)).length).toBeGreaterThan(0);
    await away.device.pull();
  });

  it.each<[string, (counter: number) => number]>([
    ['of batches that it does not read yet', (counter) => counter + 1_000],
    ['more than its batches can have pruned', (counter) => counter],
  ])('leaves a relay that names ids without end (M36), %s', async (_, counterOf) => {
    const away = await leave();
    const [first, second] = away.ids as [Bytes, Bytes];
    await away.bury([first, second]);
    await away.prune([first, second]);
    let pages = 0;
    let last = 1;
    away.profile.intercept = pruned((answer) => {
      last = answer.pruned.at(-1)?.counter ?? last;
      pages += 1;
      const more = Array.from({ length: 998 }, (_each, place) => ({
        // Above every random id, and rising.
        id: toBase64Url(Uint8Array.from([255, 255, pages, place >> 8, place & 255, ...new Uint8Array(11)])),
        counter: counterOf(last),
      }));
      return { ...answer, pruned: [...(pages === 1 ? answer.pruned : []), ...more], more: true };
    });
    await comeBack(away);
    expect(pages).toBeLessThan(10);
  });

  it.each<[string, Interceptor]>([
    ['says that there is more and brings nothing', pruned((answer) => ({ ...answer, pruned: [], more: true }))],
    ['brings the same page again and again', pruned((answer) => ({ ...answer, more: true }))],
    ['brings a page that goes back', pruned((answer) => ({ ...answer, pruned: answer.pruned.toReversed() }))],
  ])('is alarmed by a relay that %s (M26)', async (_, lie) => {
    const away = await leave();
    const [first, second] = away.ids as [Bytes, Bytes];
    await away.bury([first, second]);
    await away.prune([first, second]);
    away.profile.intercept = lie;
    away.profile.setOnline(true);
    await away.tab.until(() => away.tab.alarms.length > 0);
    expect(away.tab.alarms).toContain('vault-tampered');
  });

  it('is alarmed by a relay that leaves out what was not pruned', async () => {
    const away = await leave();
    const [first, second] = away.ids as [Bytes, Bytes];
    await away.bury([first]);
    await away.prune([first]);
    const hidden = toBase64Url(second);
    away.profile.intercept = changeJson(/^\/v1\/items$/, (answer: { items: { id: string }[] }) => ({
      ...answer,
      items: answer.items.filter(({ id }) => id !== hidden),
    }));
    await away.bury([second]);
    away.profile.setOnline(true);
    await away.tab.until(() => away.tab.alarms.length > 0);
    expect(away.tab.alarms).toContain('vault-tampered');
  });
});

describe('a device that reads the whole vault while leaves are pruned', () => {
  it.each([
    ['takes out what went between two pages', true, 1],
    ['reads once more where the relay does not tell', false, 2],
  ])('%s, and raises no alarm', async (_, tells, reads) => {
    const { person, ids, bury, prune } = await leave();
    const deleted = ids.slice(1);
    await bury(deleted);
    const profile = lab.profile();
    let pages = 0;
    profile.intercept = async (request, next) => {
      const path = pathOf(request);
      if (path === '/v1/pruned-items' && !tells) return jsonResponse({ error: 'not-found' }, 404);
      if (path !== '/v1/items' || request.method !== 'GET') return next(request);
      const { headers, signal } = request;
      const page = await next(new Request(request.url.replace(/limit=\d+/, 'limit=2'), { headers, signal }));
      pages += 1;
      // A living item and the settings stand on the first page, two tombstones on the second.
      if (pages === 2) await prune(deleted);
      return page;
    };
    const { tab } = await lab.signIn(person, profile);
    await tab.until(() => tab.theme === 'dark' || tab.alarms.length > 0);
    expect(tab.alarms).toEqual([]);
    expect(whole(asked(profile, 0))).toHaveLength(reads);
  });
});
