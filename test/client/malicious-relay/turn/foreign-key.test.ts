import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  decodeTranscriptHeader,
  requestHashOf,
  transcriptHeaderOf,
} from '../../../../crypto/protocol/messages/transcript-header.ts';
import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { type Bytes, concat, encodeUtf8, randomBytes, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../crypto/turn/reply-sealer.ts';
import type * as TurnKeyModuleSpace from '../../../../crypto/turn/turn-key.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeRecords } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

type TurnKeyModule = typeof TurnKeyModuleSpace;
const leaked = vi.hoisted(() => ({ turnKeys: [] as Uint8Array[] }));
/** Every turn key becomes known to the attacker, as if an enclave that may read the question had given it away. */
vi.mock('../../../../crypto/turn/turn-key.ts', async (importOriginal) => {
  const original = await importOriginal<TurnKeyModule>();
  return {
    ...original,
    generateTurnKey: () => {
      const turnKey = original.generateTurnKey();
      leaked.turnKeys.push(turnKey.expose().slice());
      return turnKey;
    },
  };
});

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const words = Array.from({ length: 8 }, (_, n) => `word${n} `);
const whole = words.join('');

/** A whole answer to the turn of a genuine header, under the key that is named. */
function forge(genuine: LiveRecord, keyIdOf: (genuine: Bytes) => Bytes): LiveRecord[] {
  const turnKey = new Secret('TurnKey', Uint8Array.from(leaked.turnKeys.at(-1)!));
  const { keyId: genuineKeyId } = decodeTranscriptHeader(transcriptHeaderOf(genuine.body));
  const [keyId, requestHash] = [keyIdOf(genuineKeyId), requestHashOf(genuine.body)];
  const sealer = new ReplySealer({ turnKey, frameClass: 'chat', turnId: genuine.turnId, keyId, requestHash });
  const { transcriptId } = sealer;
  const end = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' } as const;
  const said = concat(encodeTextRecord('text', encodeUtf8('Forged.')), encodeEndRecord(end));
  const frames = [sealer.sealFrame(said), ...Array.from({ length: 30 }, () => sealer.sealFrame(new Uint8Array(0)))];
  const ids = { turnId: genuine.turnId, transcriptId };
  return [
    { kind: 'header', number: 0, body: concat(sealer.header, requestHash), ...ids },
    ...[...frames, sealer.sealFinal()].map((body, number) => ({ kind: 'frame' as const, number, body, ...ids })),
  ];
}

/** Puts a forged answer before each genuine one, the same each time. */
function forging(keyIdOf: (genuine: Bytes) => Bytes) {
  const forged = new Map<string, LiveRecord[]>();
  const served = { count: 0 };
  const intercept = changeRecords((record) => {
    if (record.kind !== 'header') return [record];
    const turnId = toHex(record.turnId);
    const records = forged.get(turnId) ?? forge(record, keyIdOf);
    forged.set(turnId, records);
    served.count += 1;
    return [...records, record];
  });
  return { intercept, served };
}

function wasEverShown(tab: VaultTab, text: string): boolean {
  return JSON.stringify(tab.events).includes(text);
}

/** The tab that asks, another of the same browser, the first one after a reload in the middle, and another device. */
async function askOnDevices(keyIdOf: (genuine: Bytes) => Bytes) {
  lab.upstream.answerWith({ tokens: words, delayMs: 250 });
  const { intercept, served } = forging(keyIdOf);
  const [profile, elsewhere] = [lab.profile(), lab.profile()];
  profile.intercept = intercept;
  elsewhere.intercept = intercept;
  const { tab, person } = await lab.signUp(profile);
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.connection === 'connected');
  const second = await profile.openTab();
  const { tab: device } = await lab.signIn(person, elsewhere);
  await device.until(() => device.connection === 'connected');
  const { turnId, conversationId } = await tab.ask('Tell me.');
  await tab.until(() => served.count > 0);
  const reloaded = await profile.openTab();
  const tabs = { tab, second, reloaded, device };
  for (const each of Object.values(tabs)) {
    await each.until(() => each.conversations.some(({ id }) => id === conversationId));
    await each.vault.openConversation({ conversationId });
    await each.ended(turnId);
  }
  return { tabs: Object.entries(tabs), turnId, served };
}

describe('M31 an answer that was forged with the turn key', () => {
  it('under a key to which the question was not sealed is taken in no tab and on no device', async () => {
    const foreign = randomBytes(32);
    const { tabs, turnId, served } = await askOnDevices(() => foreign);
    for (const [name, tab] of tabs) {
      expect([name, tab.answer(turnId).text, tab.answer(turnId).state.kind]).toEqual([name, whole, 'ended']);
      expect([name, wasEverShown(tab, 'Forged.')]).toEqual([name, false]);
      expect(tab.alarms).toEqual([]);
    }
    expect(served.count).toBeGreaterThan(1);
  });

  it('under the key to which it was sealed is as good as the enclave’s own: the check is of the key alone', async () => {
    const { tabs, turnId } = await askOnDevices((genuine) => genuine);
    for (const [name, tab] of tabs) expect([name, tab.answer(turnId).text]).toEqual([name, 'Forged.']);
  });
});
