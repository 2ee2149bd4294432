import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab, type Person } from '../../parts/device-lab.ts';
import { pathOf, storeConversation } from '../../parts/tamper.ts';
import type { VaultTab } from '../../parts/vault-tab.ts';

let lab: DeviceLab;
let person: Person;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  const signedUp = await lab.signUp();
  ({ person } = signedUp);
  await storeConversation(signedUp.tab, 'One');
});
afterAll(() => lab[Symbol.asyncDispose]());

async function expectWhole(tab: VaultTab): Promise<void> {
  await tab.until(() => tab.conversations.length > 0, 40_000);
  expect(tab.titles()).toEqual(['One']);
}

describe('M24 hostile JSON', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  it.each([
    ['a prototype', '{"format":1,"items":[],"__proto__":{"isAdmin":true}}'],
    ['great depth', `{"format":1,"items":${deep},"more":false}`],
    ['a field twice', '{"format":1,"format":2,"items":[],"more":false}'],
    ['no JSON at all', '<html><script>alert(1)</script></html>'],
    ['nothing', ''],
    ['a number too large', '{"format":1,"items":[],"head":{"counter":1e400,"body":"AA"},"more":false}'],
  ])('with %s is not taken, and the honest answer is', async (_name, text) => {
    const profile = lab.profile();
    profile.intercept = async (request, next) =>
      pathOf(request) === '/v1/items' && request.method === 'GET'
        ? new Response(text, { headers: { 'content-type': 'application/json' } })
        : next(request);
    const { tab } = await lab.signIn(person, profile);
    await tab.until(() => profile.requests.filter(({ path }) => path.startsWith('/v1/items')).length > 1);
    expect(tab.conversations).toEqual([]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    profile.intercept = null;
    await expectWhole(tab);
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
    const [conversation] = tab.conversations;
    const view = tab.vault.relayView({ conversationId: conversation?.id ?? '' });
    expect(await tab.refusal(view)).toEqual({ code: 'relay:malformed-answer' });
    expect(sent).toBeLessThan(20);
  });
});
