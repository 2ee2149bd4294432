import { expect, it } from 'vitest';
import { namedOnce } from '../../../../client/vault/surroundings/named-once.ts';

it('namedOnce: puts names together, and refuses one that two of them have', () => {
  expect([...namedOnce([{ a: 1, b: 2 }, {}, { constructor: 3 }], 'two of one name')]).toEqual([
    ['a', 1],
    ['b', 2],
    ['constructor', 3],
  ]);
  expect(() => namedOnce<number>([{ a: 1 }, { b: 2 }, { a: 3 }], 'two of one name')).toThrow('one name');
});
