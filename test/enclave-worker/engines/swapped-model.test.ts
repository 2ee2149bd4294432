import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineChooser } from '../../../enclave-worker/engines/auto.ts';
import type { Engine } from '../../../enclave-worker/engines/engine/engine.ts';
import { findFreePort } from '../../parts/network/free-port.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import {
  type Answering,
  plainQuestion,
  readAll,
  startAnswering,
} from '../../parts/worker/upstream/answering-server.ts';

/* A model server that is given another model while the worker runs. */

type Loaded = {
  /** Its list says these. */
  readonly models: readonly string[];
  /** Asked for what it does not have, it answers all the same. */
  readonly ignoresNames?: boolean;
  /** Its replies name this model; else the one that they were asked for. */
  readonly answersAs?: string;
};

let port: number;
let loaded: Loaded;
let lists: number;
let server: AsyncDisposable | null;
let chooser: EngineChooser | null;
let said: string[];
beforeEach(async () => {
  port = await findFreePort();
  lists = 0;
  said = [];
  [server, chooser] = [null, null];
});
afterEach(async () => {
  await chooser?.close();
  await server?.[Symbol.asyncDispose]();
});

const answering: Answering = (request, body, response) => {
  if (request.method === 'GET') {
    lists += 1;
    return void response.end(JSON.stringify({ data: loaded.models.map((id) => ({ id })) }));
  }
  const { model = '' } = JSON.parse(body) as { readonly model?: string };
  if (loaded.ignoresNames !== true && !loaded.models.includes(model)) {
    const error = { message: `The model ${model} does not exist.`, code: 'model_not_found' };
    return void response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  }
  const choices = [{ index: 0, delta: { content: 'quetzal' }, finish_reason: 'stop' }];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify({ model: loaded.answersAs ?? model, choices })}\n\ndata: [DONE]\n\n`);
};

/** Starts the server, or ends it with all its connections and starts it with other models. */
async function serve(next: Loaded): Promise<void> {
  await server?.[Symbol.asyncDispose]();
  loaded = next;
  server = await startAnswering(answering, port);
}

async function choose(more: { readonly model?: string; readonly isVouchedFor?: boolean } = {}): Promise<EngineChooser> {
  chooser = new EngineChooser({
    settings: {
      engine: 'openai',
      server: { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: undefined, model: more.model },
      modelFile: null,
      dataFolder: '/nowhere',
      needsSalt: more.isVouchedFor ?? false,
    },
    say: (line) => said.push(line),
  });
  await chooser.start();
  return chooser;
}

const ask = (engine: Engine | undefined) => {
  if (engine === undefined) throw new Error('Nobody answers under this name.');
  return readAll(engine.answer(plainQuestion, new AbortController().signal));
};
const answered = { text: 'quetzal', failure: null };
const refused = { text: '', failure: 'model-unknown' };

describe.each([
  { name: 'that refuses names it does not know', ignoresNames: false },
  { name: 'that answers under any name', ignoresNames: true },
])('a server $name, restarted with another model', ({ ignoresNames }) => {
  test('gives no answer under the old name, and in development the new one is named', async () => {
    await serve({ models: ['old'], ignoresNames });
    const { shelf } = await choose();
    const old = shelf.current;
    expect(await ask(old)).toMatchObject(answered);
    await serve({ models: ['new'], ignoresNames });
    expect(await ask(old)).toMatchObject(refused);
    await until(() => shelf.current.model === 'new');
    expect(shelf.models).toEqual(['new', 'rehearsal']);
    expect(shelf.status.state).toBe('ready');
    expect(said.at(-1)).toContain('Model: new');
    expect(await ask(shelf.find('new'))).toMatchObject(answered);
    // Who was told the old name and asks only now.
    expect(await ask(old)).toMatchObject(refused);
  });

  test.each([
    { who: 'whose statements are shown', more: { isVouchedFor: true } },
    { who: 'that is named in the settings', more: { model: 'old' } },
  ])('one $who is not replaced: nothing is answered until it is back', async ({ more }) => {
    await serve({ models: ['old'], ignoresNames });
    const { shelf } = await choose(more);
    expect(await ask(shelf.current)).toMatchObject(answered);
    await serve({ models: ['new'], ignoresNames });
    expect(await ask(shelf.current)).toMatchObject(refused);
    await until(() => shelf.status.state === 'loading');
    expect(await ask(shelf.current)).toMatchObject(refused);
    expect(shelf.models).toEqual(['old', 'rehearsal']);
    expect(said.at(-1)).toContain('does not offer old any more (but new)');
    await serve({ models: ['new', 'old'], ignoresNames });
    await until(() => shelf.status.state === 'ready');
    expect(shelf.models).toEqual(['old', 'rehearsal']);
    expect(await ask(shelf.current)).toMatchObject(answered);
  });

  test('is the same to everybody where it has the same model again', async () => {
    await serve({ models: ['old'], ignoresNames });
    const { shelf } = await choose({ isVouchedFor: true });
    const { current } = shelf;
    expect(await ask(current)).toMatchObject(answered);
    await serve({ models: ['new', 'old'], ignoresNames });
    expect(await ask(current)).toMatchObject(answered);
    expect(shelf.current).toBe(current);
    expect(shelf.status.state).toBe('ready');
  });
});

test('the list is asked for once, and again only when all connections were new', async () => {
  await serve({ models: ['old'] });
  const { shelf } = await choose();
  expect(lists).toBe(1);
  await Promise.all([ask(shelf.current), ask(shelf.current), ask(shelf.current)]);
  await ask(shelf.current);
  expect(lists).toBe(1);
  await serve({ models: ['old'] });
  await ask(shelf.current);
  await ask(shelf.current);
  expect(lists).toBe(2);
});

describe('a server that goes on under any name and says in its answers which model they are of', () => {
  const both = { models: ['old', 'new'], ignoresNames: true };

  test('is believed: in development the new one is named', async () => {
    await serve(both);
    const { shelf } = await choose();
    const old = shelf.current;
    expect(await ask(old)).toMatchObject(answered);
    loaded = { ...both, answersAs: 'new' };
    expect(await ask(old)).toMatchObject(refused);
    expect(shelf.models).toEqual(['new', 'rehearsal']);
    expect(await ask(shelf.current)).toMatchObject(answered);
  });

  test('is refused where statements about the model are shown, from the first answer on', async () => {
    await serve({ ...both, answersAs: 'new' });
    const { shelf } = await choose({ isVouchedFor: true });
    expect(await ask(shelf.current)).toMatchObject(refused);
    expect(shelf.models).toEqual(['old', 'rehearsal']);
    loaded = both;
    expect(await ask(shelf.current)).toMatchObject(answered);
  });

  test('is let alone where it chooses by itself, or has a longer name for the same model', async () => {
    await serve({ models: ['auto', 'new'], answersAs: 'new' });
    const { shelf } = await choose();
    expect(await ask(shelf.current)).toMatchObject(answered);
    loaded = { models: ['auto', 'new'], answersAs: 'auto-2026-11-30' };
    expect(await ask(shelf.current)).toMatchObject(answered);
    expect(shelf.current.model).toBe('auto');
  });
});
