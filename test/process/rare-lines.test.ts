import { expect, test } from 'vitest';
import { RareLines } from '../../process/rare-lines.ts';

test('says each kind of line once a minute, with how many went unsaid, and another kind at once', () => {
  const said: unknown[] = [];
  let nowMs = 0;
  const lines = new RareLines(
    (line: { code: string }, unsaid) => said.push([line.code, unsaid]),
    () => nowMs,
  );
  for (let i = 0; i < 1_000; i += 1) lines.add({ code: 'a' });
  lines.add({ code: 'b' });
  nowMs = 60_000;
  lines.add({ code: 'a' });
  lines.add({ code: 'a' });
  expect(said).toEqual([
    ['a', 0],
    ['b', 0],
    ['a', 999],
  ]);
});
