import { expose, proxy, wrap } from 'comlink';
import { expect, onTestFinished, test } from 'vitest';
import { onlyCalls } from '../../../client/worker/call-gate.ts';

type Endpoint = Parameters<typeof onlyCalls>[0];

/** An object with a secret behind a gate, and the page's end of the channel. */
function open() {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const taken: unknown[] = [];
  const exposed = {
    greet: ({ name }: { name: string }) => `hello ${name}`,
    start: async (tell: (word: string) => Promise<void>) => tell('started'),
    take: (input: unknown) => taken.push(input),
    key: 'a secret',
  };
  const names = new Set(['greet', 'start', 'take']);
  expose(exposed, onlyCalls(port2 as unknown as Endpoint, names, new Set(['start'])));
  port2.start();
  port1.start();
  return { port: port1, exposed, taken };
}

const asPage = (port: MessagePort) => wrap<ReturnType<typeof open>['exposed']>(port as unknown as Endpoint);
const handler = (name: string) => ({ type: 'HANDLER', name, value: { isError: false, value: 1 } });
const raw = (value: unknown) => ({ type: 'RAW', value });

/** Sends messages, then a call that is allowed. @returns all ids that were answered until that one was. */
async function answered(port: MessagePort, ...messages: object[]): Promise<string[]> {
  const ids: string[] = [];
  const last = Promise.withResolvers<void>();
  port.addEventListener('message', ({ data }: MessageEvent<{ id?: string }>) => {
    ids.push(data.id ?? '');
    if (data.id === 'allowed') last.resolve();
  });
  for (const [index, message] of messages.entries()) port.postMessage({ id: `sent-${index}`, ...message });
  port.postMessage({ id: 'allowed', type: 'APPLY', path: ['greet'], argumentList: [raw({ name: 'you' })] });
  await last.promise;
  return ids;
}

test('calls of own names pass, and so does the listener of the page', async () => {
  const { port } = open();
  const page = asPage(port);
  expect(await page.greet({ name: 'Ada' })).toBe('hello Ada');
  const words: string[] = [];
  await page.start(proxy(async (word: string) => void words.push(word)));
  expect(words).toEqual(['started']);
});

test.each([
  ['reading', { type: 'GET', path: ['key'] }],
  ['reading a function', { type: 'GET', path: ['greet'] }],
  ['reading everything', { type: 'GET', path: [] }],
  ['reading without a path', { type: 'GET' }],
  ['writing', { type: 'SET', path: ['key'], value: raw('another') }],
  ['writing to a prototype', { type: 'SET', path: ['__proto__', 'polluted'], value: raw(1) }],
  ['constructing', { type: 'CONSTRUCT', path: ['constructor'], argumentList: [] }],
  ['constructing code', { type: 'CONSTRUCT', path: ['greet', 'constructor'], argumentList: [raw('return 1')] }],
  ['calling code into being', { type: 'APPLY', path: ['greet', 'constructor'], argumentList: [raw('return 1')] }],
  ['calling an inherited function', { type: 'APPLY', path: ['toString'], argumentList: [] }],
  ['calling the prototype', { type: 'APPLY', path: ['__proto__'], argumentList: [] }],
  ['calling by way of bind', { type: 'APPLY', path: ['greet', 'bind'], argumentList: [] }],
  ['calling the object itself', { type: 'APPLY', path: [], argumentList: [] }],
  ['calling what has no name of its own', { type: 'APPLY', path: ['key'], argumentList: [] }],
  ['calling by something that is no text', { type: 'APPLY', path: [['greet']], argumentList: [] }],
  ['calling with more than a call takes', { type: 'APPLY', path: ['greet'], argumentList: [raw(1), raw(2)] }],
  ['calling with arguments that are no list', { type: 'APPLY', path: ['greet'], argumentList: 'ab' }],
  ['calling with an object of the page', { type: 'APPLY', path: ['take'], argumentList: [handler('proxy')] }],
  ['calling with an error to be thrown', { type: 'APPLY', path: ['start'], argumentList: [handler('throw')] }],
  [
    'calling with a sort of argument that is not known',
    { type: 'APPLY', path: ['take'], argumentList: [{ value: 1 }] },
  ],
  ['calling with an argument that is none', { type: 'APPLY', path: ['take'], argumentList: [null] }],
  ['opening a second way in', { type: 'ENDPOINT', path: [] }],
  ['ending the way in', { type: 'RELEASE', path: [] }],
  ['a kind that is not known', { type: 'DELETE', path: ['key'] }],
])('%s is not answered and changes nothing', async (_, message) => {
  const { port, exposed, taken } = open();
  expect(await answered(port, message)).toEqual(['allowed']);
  expect(taken).toEqual([]);
  expect(exposed.key).toBe('a secret');
  expect('polluted' in exposed).toBe(false);
});

test('messages that are no object are passed over', async () => {
  const { port } = open();
  for (const message of [null, 'APPLY', 5]) port.postMessage(message);
  expect(await answered(port)).toEqual(['allowed']);
});
