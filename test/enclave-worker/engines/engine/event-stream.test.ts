import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvents } from '../../../../enclave-worker/engines/engine/event-stream.ts';
import { collect } from '../../../parts/machine/collect.ts';

async function read(text: string, size = text.length + 1): Promise<unknown[]> {
  const bytes = new TextEncoder().encode(text);
  // eslint-disable-next-line typescript/require-await -- a socket is asynchronous
  const chunks = (async function* cut() {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  })();
  return (await collect(readEvents(chunks))).map((event) => (event.kind === 'value' ? event.value : event.kind));
}

describe('readEvents', () => {
  test('reads the same events whatever the line ends and the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: fc.string({ unit: 'grapheme' }) }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.integer({ min: 1, max: 9 }),
        async (values, end, size) => {
          const text = values
            .map((value) => `: c${end}event: e${end}data: ${JSON.stringify(value)}${end}${end}`)
            .join('');
          expect(await read(text, size)).toEqual(values);
        },
      ),
    );
  });

  test('joins data over several lines, and takes data lines that are whole one by one', async () => {
    expect(await read('data: {"a":\ndata: 1}\n\ndata: {"b":1}\ndata: {"c":1}\ndata: [DONE]\n')).toEqual([
      { a: 1 },
      { b: 1 },
      { c: 1 },
      'done',
    ]);
  });

  test('gives out a whole line at once, without waiting for a blank one', async () => {
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const chunks = (async function* cut() {
      yield Buffer.from('data: {"a":1}\n');
      await gate;
      yield Buffer.from('data: {"b":1}\n');
    })();
    const events = readEvents(chunks);
    expect((await events.next()).value).toMatchObject({ value: { a: 1 } });
    goOn();
    expect((await events.next()).value).toMatchObject({ value: { b: 1 } });
  });

  test('passes over what is no data', async () => {
    expect(
      await read('\n\n: x\nid\nretry: 3\nfoo: {"a":1}\ndata\n\ndata: null\ndata: ping\n\ndata: {"a":1}\n'),
    ).toEqual([null, { a: 1 }]);
  });

  test('tells an event that is broken from one that was cut', async () => {
    expect(await read('data: {"a":\n\ndata: {"b":1}\n\n')).toEqual(['unreadable', { b: 1 }]);
    expect(await read('data: {"b":1}\n\ndata: {"a":\n')).toEqual([{ b: 1 }]);
  });

  test('refuses a line and an event without end, beside long ones that end', async () => {
    await expect(read(`data: ${'x'.repeat(8_400_000)}`, 65_536)).rejects.toThrow('answer-unreadable');
    await expect(read(`data: ${'{"a":\ndata: '.repeat(800_000)}`, 65_536)).rejects.toThrow('answer-unreadable');
    const long = { a: 'x'.repeat(7_000_000) };
    expect(await read(`${': ping\n\n'.repeat(1_500_000)}data: ${JSON.stringify(long)}\n\n`, 65_536)).toEqual([long]);
  });
});
