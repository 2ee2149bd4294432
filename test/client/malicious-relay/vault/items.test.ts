/* oxlint-disable vitest/expect-expect -- expectRefused and expectWhole assert. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeJson, flip, jsonResponse, pathOf, storeConversation } from '../../../parts/relay/tamper.ts';
import { type Sync, SyncVictims } from '../../../parts/users/vaults/sync-victims.ts';

let lab: DeviceLab;
let victims: SyncVictims;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  const { person, tab } = await lab.signUp();
  victims = new SyncVictims(lab, tab, person);
  for (const text of ['One', 'Two', 'Three']) await storeConversation(tab, text);
});
afterAll(() => lab[Symbol.asyncDispose]());

const items = /^\/v1\/items$/;

const bodies = (answer: Sync) => answer.items.filter(({ body }) => typeof body === 'string' && body !== '');

describe('a new device', () => {
  it('takes an honest answer', async () => {
    const { tab } = await victims.newDevice((answer) => answer);
    await victims.expectWhole(tab);
    expect(tab.alarms).toEqual([]);
  });

  it.each<[string, (answer: Sync) => unknown]>([
    [
      'M13 a flipped bit in a body',
      (answer) => {
        const [item] = bodies(answer);
        if (item !== undefined) item['body'] = flip(item['body'] as string);
      },
    ],
    [
      'M13 a flipped bit in a body whose hash is made to fit',
      (answer) => {
        const [item] = bodies(answer);
        if (item === undefined) return;
        const body = fromBase64Url(flip(item['body'] as string));
        item['body'] = toBase64Url(body);
        item['bodyHash'] = hashOf(body);
      },
    ],
    [
      'M13 a flipped bit in the head',
      (answer) => {
        answer.head.body = flip(answer.head.body);
      },
    ],
    [
      'M14 two bodies changed over',
      (answer) => {
        const [a, b] = bodies(answer);
        if (a === undefined || b === undefined) return;
        for (const field of ['body', 'bodyHash', 'length']) [a[field], b[field]] = [b[field], a[field]];
      },
    ],
    [
      'M15 items in another order',
      (answer) => {
        answer.items.reverse();
      },
    ],
    [
      'M17 one left out of the middle',
      (answer) => {
        answer.items.splice(1, 1);
      },
    ],
    [
      'M17 one that nobody wrote',
      (answer) => {
        const last = answer.items.at(-1);
        if (last !== undefined) answer.items.push({ ...last, id: highestId });
      },
    ],
    [
      'M21 another expiry',
      (answer) => {
        for (const item of answer.items) item['expiresAt'] = 30_000;
      },
    ],
    [
      'M21 another version',
      (answer) => {
        const [item] = answer.items;
        if (item !== undefined) item['version'] = 7;
      },
    ],
    [
      'M21 marked as deleted',
      (answer) => {
        const [item] = bodies(answer);
        if (item !== undefined) item['flags'] = 1;
      },
    ],
    [
      'M21 another size',
      (answer) => {
        const [item] = bodies(answer);
        if (item !== undefined) item['length'] = 5;
      },
    ],
    [
      'M21 said to be expired, though it never expires',
      (answer) => {
        const [item] = bodies(answer);
        if (item !== undefined) Object.assign(item, { bodyState: 'expired', body: null });
      },
    ],
    [
      'M25 bytes behind a body',
      (answer) => {
        const [item] = bodies(answer);
        if (item !== undefined) item['body'] = `${item['body'] as string}AAAA`;
      },
    ],
    [
      'M26 a last page before the end',
      (answer) => {
        answer.items.splice(2);
        answer.more = false;
      },
    ],
    [
      'M26 empty pages without end',
      (answer) => {
        answer.items = [];
        answer.more = true;
      },
    ],
    [
      'M26 the same page again and again',
      (answer) => {
        answer.more = true;
      },
    ],
    [
      'M26 an item of a head that is still to come',
      (answer) => {
        const last = answer.items.at(-1);
        if (last !== undefined) last['counter'] = answer.head.counter + 1;
      },
    ],
  ])('refuses %s, says so, and recovers', async (_name, change) => {
    await victims.expectRefused(await victims.newDevice(change), 'vault-tampered');
  });

  it('refuses another ciphertext that the account itself sealed in the same place, and that lost a race (M14)', async () => {
    const { tab, profile } = await victims.knownDevice();
    const lost: { id: string; version: number; body: string }[] = [];
    profile.intercept = async (request, next) => {
      if (!items.test(pathOf(request)) || request.method !== 'POST' || lost.length > 0) return next(request);
      const batch = (await request.json()) as { items: { id: string; version: number; body: string }[] };
      lost.push(...batch.items);
      return jsonResponse({ error: 'head-conflict' }, 409);
    };
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.until(() => lost.length > 0);
    await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    let swapped = 0;
    const change = (answer: Sync) => {
      for (const item of answer.items) {
        const other = lost.find(({ id, version }) => id === item['id'] && version === item['version']);
        if (other === undefined || other.body === item['body']) continue;
        item['body'] = other.body;
        swapped += 1;
      }
    };
    await victims.expectRefused(await victims.newDevice(change), 'vault-tampered');
    expect(swapped).toBeGreaterThan(0);
  });

  it('refuses ciphertexts of another account (M14)', async () => {
    const foreign = await lab.signUp();
    await storeConversation(foreign.tab, 'Somebody else');
    let theirs: Sync | null = null;
    const stolen = lab.profile();
    stolen.intercept = changeJson(items, (answer: Sync) => {
      theirs ??= structuredClone(answer);
      return answer;
    });
    const thief = await lab.signIn(foreign.person, stolen);
    await thief.tab.until(() => thief.tab.conversations.length === 1);
    await victims.expectRefused(
      await victims.newDevice((answer) => ({ ...answer, items: theirs?.items ?? [] })),
      'vault-tampered',
    );
    // Their head is an older one as well, by its counter.
    await victims.expectRefused(await victims.newDevice(() => theirs), 'vault-rolled-back');
  });
});

const highestId = toBase64Url(new Uint8Array(16).fill(255));

function hashOf(bytes: Uint8Array): string {
  return toBase64Url(new Uint8Array(createHash('sha256').update(bytes).digest()));
}
