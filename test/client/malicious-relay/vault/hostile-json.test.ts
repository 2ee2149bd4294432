import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { pathOf, storeConversation } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';
import type { Person } from '../../../parts/users/person.ts';

let lab: DeviceLab;
let person: Person;
let conversationId: string;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  const signedUp = await lab.signUp();
  ({ person } = signedUp);
  conversationId = await storeConversation(signedUp.tab, 'One');
});
afterAll(() => lab[Symbol.asyncDispose]());

async function expectWhole(tab: VaultTab, titles = ['One']): Promise<void> {
  await tab.until(() => tab.conversations.length >= titles.length, 40_000);
  expect(tab.titles().toSorted()).toEqual(titles);
}

/** Takes what the relay says to one question and says it in other words. */
function respell(path: string, change: (text: string) => string): Interceptor {
  return async (request, next) => {
    const response = await next(request);
    if (pathOf(request) !== path || request.method !== 'GET') return response;
    return new Response(change(await response.text()), { headers: { 'content-type': 'application/json' } });
  };
}

/** A call that brings the device up to date first, and fails with whatever stood in the way. */
function lookAtRelay(tab: VaultTab): Promise<unknown> {
  return tab.vault.relayView({ conversationId });
}

describe('M24 hostile JSON', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

  it.each<[string, (text: string) => string]>([
    ['a prototype', (text) => text.replace('{', '{"__proto__":{"isAdmin":true},')],
    ['a prototype further in', (text) => text.replace('"head":{', '"head":{"__proto__":{"isAdmin":true},')],
    ['a prototype in another spelling', (text) => text.replace('{', '{"\\u005f_proto__":{"isAdmin":true},')],
    ['a field twice, the last one right', (text) => text.replace('"format":1', '"format":2,"format":1')],
    ['a field twice in two spellings', (text) => text.replace('"format":1', '"\\u0066ormat":2,"format":1')],
    ['a field twice in an item', (text) => text.replace('"version":1', '"version":2,"version":1')],
    ['a byte order mark', (text) => `\uFEFF${text}`],
    ['great depth', (text) => text.replace('"items":[', `"items":[${deep},`)],
    ['a number too large', (text) => text.replace(/"counter":\d+/, '"counter":1e400')],
    ['another answer behind it', (text) => `${text}${text}`],
    ['a page around it', (text) => `<html><script>alert(1)</script>${text}</html>`],
    ['its end missing', (text) => text.slice(0, -1)],
    ['nothing left of it', () => ''],
  ])('a real answer with %s is refused and nothing of it kept; without, it is taken', async (_name, change) => {
    const profile = lab.profile();
    let isChanged = false;
    profile.intercept = respell('/v1/items', (text) => {
      const changed = change(text);
      isChanged ||= changed !== text;
      return changed;
    });
    const { tab } = await lab.signIn(person, profile);
    expect(await tab.refusal(lookAtRelay(tab))).toEqual({ code: 'malformed-answer' });
    expect(isChanged).toBe(true);
    expect(tab.events.filter(({ type }) => type === 'conversations')).not.toContainEqual(
      expect.objectContaining({ conversations: expect.arrayContaining([expect.anything()]) as unknown }),
    );
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    profile.intercept = null;
    await lookAtRelay(tab);
    await expectWhole(tab);
    expect(tab.alarms).toEqual([]);
  });

  it.each<[string, (text: string) => string]>([
    ['white space', (text) => ` ${JSON.stringify(JSON.parse(text), null, 2)}\n`],
    ['escapes in a key', (text) => text.replace('"format"', '"\\u0066ormat"')],
    [
      'its fields in another order',
      (text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).toReversed())),
    ],
  ])('a real answer with %s means the same and is taken', async (_name, change) => {
    const profile = lab.profile();
    let changes = 0;
    profile.intercept = respell('/v1/items', (text) => {
      const changed = change(text);
      if (changed !== text) changes += 1;
      return changed;
    });
    const { tab } = await lab.signIn(person, profile);
    await lookAtRelay(tab);
    await expectWhole(tab);
    expect(changes).toBeGreaterThan(0);
  });

  it.each(['/v1/heads', '/v1/turns', '/v1/account'])('a field twice in the answer of %s is refused', async (path) => {
    const { person: writing, tab: writer } = await lab.signUp();
    const { profile, tab } = await lab.signIn(writing);
    await lookAtRelay(tab);
    profile.intercept = respell(path, (text) => text.replace('"format":1', '"format":2,"format":1'));
    // Several heads at once: the chain between has to be asked for.
    profile.setOnline(false);
    for (const text of ['One', 'Two']) await storeConversation(writer, text);
    profile.setOnline(true);
    expect(await tab.refusal(lookAtRelay(tab))).toEqual({ code: 'malformed-answer' });
    profile.intercept = null;
    await lookAtRelay(tab);
    await expectWhole(tab, ['One', 'Two']);
  });

  it('M25 an answer without end is cut off', async () => {
    const profile = lab.profile();
    let sent = 0;
    profile.intercept = async (request, next) => {
      if (pathOf(request) !== '/v1/account') return next(request);
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 1;
          controller.enqueue(new Uint8Array(16_384).fill(0x20));
        },
      });
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    };
    const { tab } = await lab.signIn(person, profile);
    await expectWhole(tab);
    expect(await tab.refusal(lookAtRelay(tab))).toEqual({ code: 'malformed-answer' });
    expect(sent).toBeLessThan(20);
  });
});
