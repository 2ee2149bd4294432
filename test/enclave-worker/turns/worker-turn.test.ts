import { describe, expect, test } from 'vitest';
import { closeReasons } from '../../../crypto/protocol/messages/live-record.ts';
import type { EngineEvent } from '../../../enclave-worker/engines/engine/engine.ts';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { inProcessToken, type InProcessWorker, startInProcessWorker } from '../../parts/worker/in-process-worker.ts';
import { saying, sayingThenHanging, ScriptedEngine } from '../../parts/worker/scripted-engine.ts';
import { readReply } from '../../parts/users/with-keys/sealed-turn.ts';
import { WorkerClient, type WorkerStream } from '../../parts/users/with-keys/worker-client.ts';

type System = AsyncDisposable & {
  readonly worker: InProcessWorker;
  readonly client: WorkerClient;
  readonly live: WorkerStream;
};

const defaultEngine = () => new ScriptedEngine(saying('In a ', 'low ', 'voice 🤫.'));

async function start(
  engine: ScriptedEngine = defaultEngine(),
  options: Parameters<typeof startInProcessWorker>[1] = {},
): Promise<System> {
  const worker = await startInProcessWorker(engine, options);
  const client = new WorkerClient(worker.url, inProcessToken);
  const live = await client.live();
  return {
    worker,
    client,
    live,
    [Symbol.asyncDispose]: async () => {
      live.close();
      await worker[Symbol.asyncDispose]();
    },
  };
}

// eslint-disable-next-line typescript/require-await -- an engine is asynchronous by its interface
async function* saysThoughts(): AsyncGenerator<EngineEvent> {
  yield { kind: 'reasoning', text: 'Hm.' };
}

// eslint-disable-next-line typescript/require-await -- an engine is asynchronous by its interface
async function* saysTextThatWasThoughts(): AsyncGenerator<EngineEvent> {
  yield { kind: 'text', text: 'Hm.' };
  yield { kind: 'note', note: { kind: 'text-was-reasoning' } };
}

async function codeOf(response: Response): Promise<unknown> {
  return [response.status, await response.json()];
}

// Each turn takes the three seconds of its frames: they run beside each other.
describe.concurrent('a turn', () => {
  test('is answered in frames that open to the text, END, and FINAL on the ladder', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('What is sotto voce?');
    const accepted = await client.start(live, turn);
    expect(accepted.status).toBe(202);
    await live.untilClosed(turn);
    expect(readReply(turn, live.of(turn))).toEqual({
      text: 'In a low voice 🤫.',
      reasoning: '',
      end: { outcome: 'complete', code: null, usage: null, model: 'scripted', engine: 'rehearsal' },
      isFinal: true,
      frames: 32,
    });
    const closed = live.of(turn).at(-1);
    expect(closed).toMatchObject({ kind: 'closed', number: 32, body: Uint8Array.of(closeReasons.final) });
  });

  test.each([
    ['nothing', saying()],
    ['blanks', saying('\n', ' ')],
    ['thoughts alone', saysThoughts],
    ['what turned out to be thoughts', saysTextThatWasThoughts],
  ])('that is answered with %s is no success, and says why', async (_name, script) => {
    await using system = await start(new ScriptedEngine(script));
    const { client, live } = system;
    const turn = await client.seal('Well?');
    await client.start(live, turn);
    await live.untilClosed(turn);
    const { end, notes } = readReply(turn, live.of(turn));
    expect(end).toMatchObject({ outcome: 'error', code: 'model-failed' });
    expect(notes?.at(-1)).toEqual({ kind: 'cause', cause: 'no-answer' });
  });

  test('sent again gives the same transcript from its beginning, and asks the engine once', async () => {
    const engine = new ScriptedEngine(saying('Once.'));
    await using system = await start(engine);
    const { client, live } = system;
    const turn = await client.seal('Again?');
    const first = await (await client.start(live, turn)).json();
    await live.until(() => live.of(turn).filter(({ kind }) => kind === 'frame').length > 3);
    const other = await client.live();
    const second = await (await client.start(other, turn)).json();
    expect(second).toEqual(first);
    await Promise.all([live.untilClosed(turn), other.untilClosed(turn)]);
    expect(other.of(turn)).toEqual(
      live.of(turn).map(({ kind, turnId, transcriptId, number, body }) => ({
        kind,
        turnId,
        transcriptId,
        number,
        body,
        atMs: expect.any(Number) as number,
      })),
    );
    expect(engine.questions).toHaveLength(1);
    other.close();
  });

  test('another request under a known turn id is refused, beside a new turn that is taken (M32)', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Mine');
    expect((await client.start(live, turn)).status).toBe(202);
    const forged = await client.seal('Not mine', { turnId: turn.turnId });
    expect(await codeOf(await client.start(live, forged))).toEqual([409, { error: 'request-replayed' }]);
    expect((await client.start(live, await client.seal('Mine too'))).status).toBe(202);
  });

  test('for an unknown model is answered like one for an unknown key', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Who?', { model: 'gone-model' });
    expect(await codeOf(await client.start(live, turn))).toEqual([409, { error: 'unknown-key' }]);
  });

  test('that has expired is refused, beside one with a minute left', async () => {
    await using system = await start();
    const { client, live } = system;
    const { statement } = await client.verify();
    const late = await client.seal('Late', { expiresAtMs: statement.issuedAtMs });
    expect(await codeOf(await client.start(live, late))).toEqual([409, { error: 'request-expired' }]);
    const inTime = await client.seal('In time', { expiresAtMs: statement.issuedAtMs + 60_000 });
    expect((await client.start(live, inTime)).status).toBe(202);
  });

  test('goes on without its reader, and another reader picks up at frame n', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Go on');
    await client.start(live, turn);
    await live.until(() => live.of(turn).some(({ kind, number }) => kind === 'frame' && number === 5));
    live.close();
    const other = await client.live();
    expect((await client.watch(other, turn, 6)).status).toBe(202);
    await other.untilClosed(turn);
    const picked = other.of(turn);
    expect(picked.filter(({ kind }) => kind === 'frame').map(({ number }) => number)).toEqual(
      Array.from({ length: 26 }, (_, i) => i + 6),
    );
    const before = live.of(turn).filter(({ kind, number }) => kind !== 'closed' && number <= 5);
    const whole = readReply(turn, [...before, ...picked.filter(({ kind }) => kind === 'frame')]);
    expect(whole).toMatchObject({ text: 'In a low voice 🤫.', isFinal: true });
    other.close();
  });

  test('that is not held any more is closed as gone', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Never sent');
    await client.watch(live, turn, 0);
    await live.untilClosed(turn);
    expect(live.of(turn)).toMatchObject([{ kind: 'closed', body: Uint8Array.of(closeReasons.gone) }]);
  });

  test('whose reply was let go answers gone to the same request', async () => {
    await using system = await start(new ScriptedEngine(saying('Short.')), {
      holdLimits: { holdMs: 0, maximumBytes: 1e6 },
    });
    const { client, live, worker } = system;
    const turn = await client.seal('Hold nothing');
    await client.start(live, turn);
    await live.untilClosed(turn);
    worker.desk.beat();
    expect(await codeOf(await client.start(live, turn))).toEqual([410, { error: 'gone' }]);
  });

  test('stops on its token and keeps what was said; a wrong token answers alike and stops nothing', async () => {
    const engine = new ScriptedEngine(sayingThenHanging('So far.'));
    await using system = await start(engine);
    const { client, live } = system;
    const turn = await client.seal('Endless');
    await client.start(live, turn);
    await live.until(() => live.of(turn).length > 4);
    const wrong = await client.stop(turn, randomBytes(32));
    expect(await codeOf(wrong)).toEqual([202, { format: 1 }]);
    expect(engine.signals[0]?.aborted).toBe(false);
    const right = await client.stop(turn);
    expect(await codeOf(right)).toEqual([202, { format: 1 }]);
    expect(engine.signals[0]?.aborted).toBe(true);
    await live.untilClosed(turn);
    expect(readReply(turn, live.of(turn))).toMatchObject({
      text: 'So far.',
      end: { outcome: 'stopped' },
      isFinal: true,
    });
  });

  test('above the limits is accepted and answered with a sealed busy, as many frames as any other', async () => {
    await using system = await start(new ScriptedEngine(sayingThenHanging('Mine.'), { capacity: 1 }));
    const { client, live } = system;
    const first = await client.seal('First');
    await client.start(live, first);
    const second = await client.seal('Second');
    expect((await client.start(live, second)).status).toBe(202);
    await live.untilClosed(second);
    expect(readReply(second, live.of(second))).toMatchObject({
      text: '',
      end: { outcome: 'busy', code: 'too-many-turns' },
      frames: 32,
    });
    await client.stop(first);
    await live.untilClosed(first);
    const third = await client.seal('Third');
    await client.start(live, third);
    await live.until(() => live.of(third).length > 2);
    await client.stop(third);
    await live.untilClosed(third);
    expect(readReply(third, live.of(third)).end?.outcome).toBe('stopped');
  });

  test('is refused in clear when no frames could be sent for it', async () => {
    await using system = await start(new ScriptedEngine(saying('x')), { turnLimits: { answering: 10, paced: 1 } });
    const { client, live } = system;
    expect((await client.start(live, await client.seal('First'))).status).toBe(202);
    const refused = await client.start(live, await client.seal('Second'));
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await codeOf(refused)).toEqual([503, { error: 'enclave-busy' }]);
  });

  test('at the fast pace has frames of 1,040 bytes', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Fast', { frameClass: 'fast' });
    await client.start(live, turn);
    await live.untilClosed(turn);
    const lengths = new Set(
      live
        .of(turn)
        .filter(({ kind }) => kind === 'frame')
        .map(({ body }) => body.length),
    );
    expect([...lengths]).toEqual([1040]);
    expect(readReply(turn, live.of(turn)).isFinal).toBe(true);
  });

  test('unpaced is refused: no engine here answers in bulk', async () => {
    await using system = await start();
    const { client, live } = system;
    const turn = await client.seal('Bulk', { frameClass: 'bulk' });
    expect(await codeOf(await client.start(live, turn))).toEqual([422, { error: 'request-refused' }]);
  });
});
