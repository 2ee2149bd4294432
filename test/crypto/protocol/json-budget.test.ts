import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as v from 'valibot';
import { jsonBudgetOf } from '../../../crypto/protocol/json/json-budget.ts';
import { itemBatch } from '../../../crypto/protocol/messages/item-messages.ts';

const text = v.pipe(v.string(), v.maxLength(10));

test.each<[string, v.GenericSchema, v.GenericSchema]>([
  ['a text', v.string(), text],
  [
    'a text with no more than a form',
    v.pipe(v.string(), v.regex(/^a*$/)),
    v.pipe(v.string(), v.regex(/^a*$/), v.length(3)),
  ],
  ['a list', v.array(text), v.pipe(v.array(text), v.maxLength(3))],
  ['a text in a list', v.pipe(v.array(v.string()), v.maxLength(3)), v.pipe(v.array(text), v.maxLength(3))],
  ['members', v.object({ a: text }), v.strictObject({ a: text })],
  ['members at will', v.looseObject({ a: text }), v.strictObject({ a: v.optional(text) })],
  ['keys at will', v.record(v.string(), text), v.strictObject({ a: v.nullable(text) })],
  ['members of a record', v.record(text, text), v.pipe(v.record(text, text), v.maxEntries(3))],
  [
    'keys of a record',
    v.pipe(v.record(v.string(), text), v.maxEntries(3)),
    v.pipe(v.record(text, text), v.maxEntries(3)),
  ],
  ['anything', v.unknown(), v.null()],
  ['one of several', v.union([text, v.string()]), v.union([text, v.number()])],
  ['places', v.looseTuple([text]), v.strictTuple([text, v.boolean()])],
])('jsonBudgetOf: refuses %s without a limit, and measures the limited twin', (_what, unlimited, limited) => {
  expect(() => jsonBudgetOf(unlimited)).toThrow('invalid-argument');
  expect(jsonBudgetOf(limited).values).toBeGreaterThan(0);
});

test('jsonBudgetOf: counts what the largest value of a schema holds', () => {
  const point = v.strictObject({ x: v.number(), label: v.nullable(v.pipe(v.string(), v.maxLength(7))) });
  const shape = v.variant('kind', [
    v.strictObject({ kind: v.literal('dot'), at: point }),
    v.strictObject({ kind: v.literal('line'), points: v.pipe(v.array(point), v.maxLength(4)) }),
  ]);
  expect(jsonBudgetOf(shape)).toEqual({ depth: 3, values: 1 + 1 + 1 + 4 * 3, keyLength: 6, textLength: 7 });
  const record = v.pipe(v.record(v.pipe(v.string(), v.maxLength(9)), v.nullable(text)), v.maxEntries(5));
  expect(jsonBudgetOf(record)).toEqual({ depth: 1, values: 1 + 5, keyLength: 9, textLength: 10 });
  expect(jsonBudgetOf(itemBatch).values).toBe(1 + 1 + 1 + 3 + (1 + 500 * 6) + 2 * 501);
});

test('every message says how much it may hold at most', async () => {
  const folder = join(import.meta.dirname, '../../../crypto/protocol');
  const unlimited: string[] = [];
  let measured = 0;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const exported = (await import(join(folder, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value !== 'object' || value === null || !('~standard' in value)) continue;
      measured += 1;
      try {
        jsonBudgetOf(value as unknown as v.GenericSchema);
      } catch {
        unlimited.push(name);
      }
    }
  }
  expect(measured).toBeGreaterThan(80);
  // Only the code of an unknown error is read, so that a newer relay may say more.
  expect(unlimited.toSorted()).toEqual(['errorAnswer', 'registrarErrorAnswer']);
});
