import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import {
  type ItemRecord,
  maximumBatchLength,
  type SyncAnswer,
} from '../../../../crypto/protocol/messages/item-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { cryptoReady, signIn } from '../../../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../../../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../../../parts/users/with-keys/node-relay.ts';
import { pathOf } from '../../../parts/relay/tamper.ts';
import { newId } from '../../../parts/vault/paper-vault.ts';
import type { Person } from '../../../parts/users/person.ts';

/** With an answer and a verification each, more than two batches; the last of them only verifications. */
const turns = 350;

let lab: DeviceLab;
beforeAll(async () => {
  await cryptoReady();
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

type Item = { readonly id: Bytes; readonly content: ItemContent };

function turnItems(conversationId: string, index: number): Item[] {
  const [message, reply, verification] = [randomBytes(16), randomBytes(16), randomBytes(16)];
  const turnId = newId();
  const place = { format: 1, conversationId, turnId, createdAtMs: index } as const;
  const facts = { kind: 'development', level: 'any', model: 'm', measurement: null, release: null } as const;
  return [
    {
      id: message,
      content: {
        type: 'message',
        ...place,
        parentId: null,
        text: `Question ${index}`,
        turnKey: toBase64Url(randomBytes(32)),
        replyItemId: toBase64Url(reply),
        verificationItemId: toBase64Url(verification),
      },
    },
    {
      id: reply,
      content: {
        type: 'reply',
        ...place,
        parentId: toBase64Url(message),
        text: `Answer ${index}`,
        reasoning: '',
        outcome: 'complete',
        transcriptHash: toBase64Url(randomBytes(32)),
        model: 'm',
        engine: 'gguf',
        protection: '',
        usage: null,
      },
    },
    { id: verification, content: { type: 'verification', format: 1, verifiedAtMs: index, ...facts, document: '{}' } },
  ];
}

/** The account as the relay holds it, beside all browsers. */
class RelayCopy {
  readonly #relay: NodeRelay;
  readonly #device: NodeDevice;

  private constructor(relay: NodeRelay, device: NodeDevice) {
    this.#relay = relay;
    this.#device = device;
  }

  static async signIn({ userName, password }: Person): Promise<RelayCopy> {
    const relay = new NodeRelay(lab.origin);
    return new RelayCopy(relay, new NodeDevice(relay, await signIn(relay, userName, password)));
  }

  async storeConversation(title: string): Promise<string> {
    const id = randomBytes(16);
    const conversationId = toBase64Url(id);
    const content: ItemContent = {
      type: 'conversation',
      format: 1,
      createdAtMs: 1,
      title: { value: title, setAtMs: 1 },
      cacheSalt: toBase64Url(randomBytes(32)),
    };
    const items = [{ id, content }, ...Array.from({ length: turns }, (_, n) => turnItems(conversationId, n)).flat()];
    for (let start = 0; start < items.length; start += maximumBatchLength) {
      const batch = this.#device.batch(items.slice(start, start + maximumBatchLength));
      await this.#relay.expect(200, 'POST', '/v1/items', batch);
    }
    return conversationId;
  }

  /** How many items live, and how many are tombstones. */
  async count(): Promise<{ readonly live: number; readonly buried: number }> {
    const found: ItemRecord[] = [];
    for (let place = 'afterCounter=0'; ;) {
      const page = await this.#relay.expect<SyncAnswer>(200, 'GET', `/v1/items?${place}&limit=500`);
      found.push(...page.items);
      const last = page.items.at(-1);
      if (!page.more || last === undefined) break;
      place = `afterCounter=${last.counter}&afterId=${last.id}`;
    }
    const live = found.filter(({ flags }) => flags === 0).length;
    return { live, buried: found.length - live };
  }

  close(): void {
    this.#relay.close();
  }
}

const all = 1 + 3 * turns;
const slow = { timeout: 40_000 };

describe(`a conversation of ${turns} turns`, () => {
  it('is deleted whole, and what waits behind it is stored', async () => {
    const { person, profile, tab } = await lab.signUp();
    const copy = await RelayCopy.signIn(person);
    const conversationId = await copy.storeConversation('Long');
    await tab.until(() => tab.titles().join() === 'Long', slow.timeout);
    // Both wait before either is sent.
    profile.setOnline(false);
    await tab.vault.deleteConversation({ conversationId });
    await tab.vault.setTheme({ theme: 'dark' });
    profile.setOnline(true);
    // The settings alone.
    await expect.poll(() => copy.count(), slow).toEqual({ live: 1, buried: all });
    const second = await lab.signIn(person);
    await second.tab.until(() => second.tab.theme === 'dark', slow.timeout);
    expect([second.tab.titles(), tab.titles()]).toEqual([[], []]);
    expect([second.tab.alarms, tab.alarms]).toEqual([[], []]);
    copy.close();
  });

  it('whose deletion broke off where only verifications were left is deleted to its end by another device', async () => {
    const { person, profile, tab } = await lab.signUp();
    const copy = await RelayCopy.signIn(person);
    const conversationId = await copy.storeConversation('Long');
    await tab.until(() => tab.titles().join() === 'Long', slow.timeout);
    let batches = 0;
    profile.intercept = async (request, next) => {
      if (request.method !== 'POST' || pathOf(request) !== '/v1/items') return next(request);
      batches += 1;
      return batches > 2 ? new Response('{"error":"not-ready"}', { status: 503 }) : next(request);
    };
    await tab.vault.deleteConversation({ conversationId });
    await tab.until(() => batches > 2, slow.timeout);
    const { live } = await copy.count();
    // The items that are buried last are left; questions and replies are gone.
    expect(live).toBeGreaterThan(0);
    expect(live).toBeLessThan(turns);
    profile.setOnline(false);
    await lab.signIn(person);
    await expect.poll(() => copy.count(), slow).toEqual({ live: 0, buried: all });
    copy.close();
  });
});
