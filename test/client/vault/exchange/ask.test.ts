import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VaultError } from '../../../../client/vault/failures/vault-error.ts';
import { RehearsalEngine } from '../../../../enclave-worker/engines/rehearsal.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { CuttableProxy } from '../../../parts/network/cuttable-proxy.ts';
import { RelayAndWorker } from '../../../parts/relay/relay-and-worker.ts';
import { readWhole, StorelessAsker } from '../../../parts/users/with-keys/storeless-asker.ts';
import { startUpstream } from '../../../parts/worker/upstream/upstream.ts';

let folder: TemporaryFolder;
let sotto: RelayAndWorker;
beforeAll(async () => {
  folder = await makeTemporaryFolder('ask');
  sotto = await new RelayAndWorker({ DATA_DIR: folder.path }).start();
});
afterAll(async () => {
  await sotto[Symbol.asyncDispose]();
  await folder.remove();
});

/** The script's own words. */
async function expectedReply(words: string): Promise<string> {
  let text = '';
  const question = {
    messages: [{ role: 'user' as const, text: words }],
    parameters: {},
    cacheSalt: '',
  };
  const events = new RehearsalEngine({ pieceEveryMs: 0 }).answer(question, new AbortController().signal);
  for await (const event of events) if (event.kind === 'text') text += event.text;
  return text;
}

const complete = { kind: 'end', outcome: 'complete', codes: [], said: { engine: 'rehearsal', model: 'rehearsal' } };

describe('ask: a reply without a vault', () => {
  test('comes whole, with how it ended and what it used, and nothing is stored beside its turn', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const { text, kinds, end } = await readWhole(asker.ask('Good morning.'));
    expect(text).toBe(await expectedReply('Good morning.'));
    expect(end).toMatchObject({ ...complete, said: { usage: { promptTokens: 2 } } });
    expect(kinds).toEqual(['text', 'end', 'closed']);
    expect((await asker.relay.readItems({ afterCounter: 0 })).items).toEqual([]);
    await expect.poll(() => asker.turns()).toMatchObject([{ state: 'ended', attempts: 1, stops: 0 }]);
  });

  test('comes to the right one of two that ask at once', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const questions = ['The first of two.', 'The second of two.'];
    const replies = await Promise.all(questions.map((words) => readWhole(asker.ask(words))));
    expect(replies.map(({ text }) => text)).toEqual(await Promise.all(questions.map(expectedReply)));
  });

  test('comes by fetching alone, where no live response brings anything', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const live = { listen: () => () => undefined };
    const { text, end } = await readWhole(asker.ask('A list, please.', { live }));
    expect(text).toBe(await expectedReply('A list, please.'));
    expect(end).toMatchObject(complete);
  });

  test('comes in fewer pieces to somebody who takes them slowly', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const pieces = asker.ask('A list, please.');
    const first = await pieces.next();
    await expect.poll(() => asker.listeners.size).toBe(0);
    const rest: unknown[] = [];
    for await (const piece of pieces) rest.push(piece);
    expect([first.value, ...rest]).toMatchObject([{ kind: 'text' }, { kind: 'text' }, complete, { isWhole: true }]);
  });

  test('is read to its last frame where nobody takes more of it, and is not stopped', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    for await (const piece of asker.ask('Good morning.')) if (piece.kind === 'text') break;
    expect(asker.listeners.size).toBe(1);
    await expect.poll(() => asker.listeners.size).toBe(0);
    await expect.poll(() => asker.turns()).toMatchObject([{ state: 'ended', stops: 0 }]);
  });

  test('ends at once with the session', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const pieces = asker.ask('A long answer, please.');
    await pieces.next();
    asker.end();
    await expect(readWhole(pieces)).rejects.toMatchObject({ code: 'session-ended' });
    expect(asker.calls.some((call) => call.endsWith('/stop'))).toBe(false);
  });
});

test('ask: sends no question that is empty, of another form, or longer than any enclave reads', async () => {
  await using asker = await StorelessAsker.signUp(sotto.url);
  const enclave = await asker.verifiedEnclave();
  await expect(readWhole(asker.ask('x'.repeat(2_000_001), { enclave }))).rejects.toMatchObject({
    code: 'message-too-long',
  });
  await expect(readWhole(asker.askAll([], { enclave }))).rejects.toMatchObject({ code: 'message-empty' });
  const wrong = [{ parameters: { temperature: 99 } }, { cacheSalt: 'none' }];
  for (const options of wrong) {
    const refused = readWhole(asker.ask('Not so.', { enclave, ...options }));
    await expect(refused).rejects.toMatchObject({ code: 'browser-failed' });
  }
  expect(asker.calls.filter((call) => call.startsWith('POST /v1/turns'))).toEqual([]);
});

describe('ask: a signal that stops', () => {
  test('ends the reply at its enclave, with what came', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const stopping = new AbortController();
    const whole = await expectedReply('A long answer, please.');
    let text = '';
    let end: unknown = null;
    for await (const piece of asker.ask('A long answer, please.', { signal: stopping.signal })) {
      if (piece.kind === 'text') text += piece.text;
      if (piece.kind === 'end') end = piece;
      stopping.abort();
    }
    expect(end).toMatchObject({ outcome: 'stopped', said: { engine: 'rehearsal' } });
    expect([whole.startsWith(text), text.length < whole.length]).toEqual([true, true]);
    expect(await asker.turns()).toMatchObject([{ stops: 1 }]);
  });

  test('sends nothing where nothing was sent yet', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const { text, end } = await readWhole(asker.ask('Never mind.', { signal: AbortSignal.abort() }));
    expect([text, end]).toMatchObject(['', { outcome: 'stopped', said: null }]);
    expect(asker.calls.filter((call) => call.startsWith('POST /v1/turns'))).toEqual([]);
  });

  test('ends the wait for a relay that is away', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const stopping = new AbortController();
    const enclave = await asker.verifiedEnclave();
    asker.intercept = (url, next) => {
      if (!url.includes('/v1/turns')) return next();
      stopping.abort();
      return Promise.reject(new TypeError('Failed to fetch'));
    };
    const reading = readWhole(asker.ask('Nobody hears this.', { enclave, signal: stopping.signal }));
    await expect(reading).rejects.toMatchObject({ code: 'relay-unreachable' });
  });
});

describe('ask: a network that fails', () => {
  test('in the middle of a reply costs nothing of it: it goes on after the last frame that came', async () => {
    await using proxy = await CuttableProxy.start(Number(new URL(sotto.url).port));
    await using asker = await StorelessAsker.signUp(sotto.url, `http://127.0.0.1:${proxy.port}`);
    let text = '';
    let end: unknown = null;
    let isCut = false;
    for await (const piece of asker.ask('A list, please.')) {
      if (piece.kind === 'text') text += piece.text;
      if (piece.kind === 'end') end = piece;
      if (isCut || text.length < 60) continue;
      isCut = true;
      proxy.isDown = true;
      proxy.cut();
      const before = asker.calls.length;
      await expect.poll(() => asker.calls.length).toBeGreaterThan(before);
      proxy.isDown = false;
    }
    expect([text, end]).toMatchObject([await expectedReply('A list, please.'), complete]);
    const fetched = asker.calls.flatMap((call) => /\/frames\?after=(-?\d+)$/.exec(call)?.[1] ?? []).map(Number);
    expect(fetched).not.toEqual([]);
    expect(fetched.filter((after) => after < 1)).toEqual([]);
  });

  test('when the relay answers the question does not make it ask twice', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    let lost = 0;
    asker.intercept = async (url, next) => {
      const response = await next();
      if (url.endsWith('/v1/turns') && (lost += 1) === 1) throw new TypeError('Failed to fetch');
      return response;
    };
    const { text } = await readWhole(asker.ask('Only once?'));
    expect(text).toBe(await expectedReply('Only once?'));
    expect(lost).toBeGreaterThan(1);
    expect(await asker.turns()).toMatchObject([{ attempts: 1, transcripts: [{}] }]);
  });
});

describe('ask: an enclave that is gone', () => {
  test('gives way to another in the same turn where that one is verified, and to none where it is not', async () => {
    await using asker = await StorelessAsker.signUp(sotto.url);
    const enclave = await asker.verifiedEnclave();
    await sotto.killWorker();
    await sotto.startWorker();
    const refused = asker.ask('Not to somebody else.', {
      enclave,
      verifyAnother: () => Promise.reject(new VaultError('enclave-changed')),
    });
    await expect(readWhole(refused)).rejects.toMatchObject({ code: 'enclave-changed' });
    const posted = () => asker.calls.filter((call) => call.startsWith('POST /v1/turns'));
    expect(posted()).toEqual(['POST /v1/turns']);

    const { text, end } = await readWhole(asker.ask('To whoever is verified.', { enclave }));
    expect(text).toBe(await expectedReply('To whoever is verified.'));
    expect(end).toMatchObject(complete);
    expect(posted().map((call) => call.replace(/[\w-]{22}/, 'ID'))).toEqual([
      'POST /v1/turns',
      'POST /v1/turns',
      'POST /v1/turns/ID/attempts',
    ]);
  });
});

describe('ask: a model that fails', () => {
  test('ends the reply with its code', async () => {
    await using files = await makeTemporaryFolder('ask-failing');
    await using upstream = await startUpstream();
    upstream.answerWith({ failWith: 500 });
    const model = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl, LLM_MODEL: 'test-model' };
    await using failing = await new RelayAndWorker({ DATA_DIR: files.path }, model).start();
    await using asker = await StorelessAsker.signUp(failing.url);
    const { end } = await readWhole(asker.ask('Fails.'));
    expect(end).toMatchObject({ kind: 'end', outcome: 'error' });
    expect(end?.kind === 'end' && end.codes).toContain('model-failed');

    upstream.answerWith({});
    expect(await readWhole(asker.ask('Works.'))).toMatchObject({
      text: 'In a low voice.',
      end: { outcome: 'complete' },
    });
  });
});
