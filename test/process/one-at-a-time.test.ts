import { expect, test } from 'vitest';
import { OneAtATime } from '../../process/one-at-a-time.ts';

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
  );

test('OneAtATime: runs work in its order, past a failure, and refuses one caller too many', async () => {
  const turns = new OneAtATime({ most: 64, refusal: () => new Error('busy') });
  const done: number[] = [];
  const gate = Promise.withResolvers<void>();
  const work = Array.from({ length: 64 }, (_, index) =>
    outcomeOf(
      turns.run(async () => {
        await gate.promise;
        done.push(index);
        if (index === 3) throw new Error('failed');
      }),
    ),
  );
  expect(await outcomeOf(turns.run(() => Promise.resolve()))).toBe('busy');
  gate.resolve();
  const outcomes = await Promise.all(work);
  expect(done).toEqual(Array.from({ length: 64 }, (_, index) => index));
  expect(outcomes).toEqual(outcomes.map((_, index) => (index === 3 ? 'failed' : 'done')));
  expect(await outcomeOf(turns.run(() => Promise.resolve()))).toBe('done');
});

test('OneAtATime: without bounds everybody may wait', async () => {
  const turns = new OneAtATime();
  await turns.take();
  let count = 0;
  const work = Array.from({ length: 1_000 }, () => turns.run(() => Promise.resolve(void (count += 1))));
  turns.pass();
  await Promise.all(work);
  expect(count).toBe(1_000);
});
