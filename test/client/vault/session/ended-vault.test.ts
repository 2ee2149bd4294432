import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeAll, describe, expect, it } from 'vitest';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import type { TurnOperation } from '../../../../client/vault/changes/operations/turn-operation.ts';
import { Outbox } from '../../../../client/vault/changes/outbox/outbox.ts';
import { turnOperation } from '../../../../client/vault/changes/operations/plan-turn.ts';
import { operationTypes } from '../../../../client/vault/features/features.ts';
import { type AskingVault, QuestionWorks } from '../../../../client/vault/asking/question-works.ts';
import { driveQuestion } from '../../../../client/vault/asking/turn-driver.ts';
import { VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import { VaultWriter } from '../../../../client/vault/changes/writing/vault-writer.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { newId, stoppedTurn } from '../../../parts/vault/paper-vault.ts';
import { randomKeyring } from '../../../parts/crypto/sample-account.ts';

beforeAll(() => aeadReady());

/** A question into a stored conversation, and a vault whose contents are what a test does to them while it waits. */
async function waitingIn(stage: TurnOperation['stage'], whileItWaits: (ended: AbortController) => void) {
  const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: new IDBFactory(), IDBKeyRange }));
  await cache.open();
  const outbox = new Outbox(cache, randomKeyring(), operationTypes, () => undefined);
  const conversationId = newId();
  const operation = { ...stoppedTurn({ conversationId, isNew: false, text: 'Waits.', atMs: 1 }), stage };
  await outbox.put(turnOperation, operation);
  const ended = new AbortController();
  const contents = new VaultContents();
  const store = {
    contents,
    mark: { pending: null, cursor: {} },
    isConsistent: () => true,
    catchUp: async () => whileItWaits(ended),
  };
  const sent: string[] = [];
  const refuse = (call: string) => async () => {
    sent.push(call);
    throw new Error('Nothing is to be sent here.');
  };
  const writing = {
    store,
    outbox,
    client: { writeItems: refuse('items'), startTurn: refuse('turn'), attemptTurn: refuse('attempt') },
    locks: { request: (_name: string, _options: unknown, run: () => unknown) => run() },
    clock: { wallMs: () => 1, monotonicMs: () => 1, after: () => () => undefined },
    session: { view: { kind: 'connecting' } },
    random: () => 0,
    signal: ended.signal,
    onAlarm: () => undefined,
    onSynced: () => undefined,
    onStored: () => undefined,
  } as unknown as AskingVault;
  const writer = new VaultWriter(writing);
  const drive = () => {
    const vault = { ...writing, writer, onAccepted: () => undefined };
    return driveQuestion(vault, new QuestionWorks(vault, operation.turnId), () => undefined);
  };
  const left = () => ({
    waiting: outbox.turns.map((queued) => queued.operation.stage.name),
    returned: outbox.returned.length,
    sent,
  });
  return { writer, drive, left };
}

const end = (ended: AbortController) => ended.abort();
const goOn = () => undefined;

/** Its contents are empty then, as if all conversations were deleted. */
describe('a vault that ends while something waits', () => {
  it.each([{ name: 'stopped' }, { name: 'failed', failure: { code: 'enclave-changed' } }] as const)(
    'flush: leaves a question that is $name as it is',
    async (stage) => {
      const { writer, left } = await waitingIn(stage, end);
      await writer.flush();
      expect(left()).toEqual({ waiting: [stage.name], returned: 0, sent: [] });
    },
  );

  it.each([{ name: 'stopped' }, { name: 'failed', failure: { code: 'enclave-changed' } }] as const)(
    'flush: gives a question back that is $name and whose conversation is gone, in a vault that goes on',
    async (stage) => {
      const { writer, left } = await waitingIn(stage, goOn);
      await writer.flush();
      expect(left()).toEqual({ waiting: [], returned: 1, sent: [] });
    },
  );

  it('sendTurn: leaves a question as it is', async () => {
    const { drive, left } = await waitingIn({ name: 'going' }, end);
    await drive();
    expect(left()).toEqual({ waiting: ['going'], returned: 0, sent: [] });
  });

  it('sendTurn: gives a question back whose conversation is gone, in a vault that goes on', async () => {
    const { drive, left } = await waitingIn({ name: 'going' }, goOn);
    await drive();
    expect(left()).toEqual({ waiting: [], returned: 1, sent: [] });
  });
});
