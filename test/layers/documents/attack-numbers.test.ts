import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot, readSourceFiles, type SourceFiles } from '../source-files.ts';

const listPath = join(projectRoot, 'test', 'client', 'malicious-relay', 'README.md');

/** Lists what the list of attacks names and the tests do not have. */
function findBrokenRows(list: string, files: SourceFiles): readonly string[] {
  return list.split('\n').flatMap((line) => {
    const number = /^\| (M\d+) \|/.exec(line)?.[1];
    if (number === undefined) return [];
    return [...line.matchAll(/`([^`]+\.test\.ts)`/g)].flatMap(([, path = '']) =>
      carries(files.get(`test/${path}`) ?? '', Number(number.slice(1))) ? [] : [`${number}: ${path}`],
    );
  });
}

/** Lists what the list of mistakes names and the tests do not have. */
function findMissingTitles(list: string, files: SourceFiles): readonly string[] {
  return mistakesIn(list).flatMap(({ number, tests }) =>
    tests.flatMap(({ path, title }) =>
      hasTitle(files.get(`test/${path}`) ?? '', title) ? [] : [`${number}: ${title}`],
    ),
  );
}

function mistakesIn(list: string) {
  return [...list.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, number, tests = '']) => ({
    number: Number(number),
    tests: tests.split('<br>').map((test) => {
      const [, path = '', title = ''] = /^`([^`]+\.test\.ts)`: (.+)$/.exec(test) ?? [];
      return { path, title };
    }),
  }));
}

/** True if the title is the first argument of a test, or of a row of one. */
function hasTitle(text: string, title: string): boolean {
  return (
    title !== '' &&
    [`'${title}',`, `"${title}",`].some((quoted) => text.includes(`(${quoted}`) || text.includes(`  ${quoted}`))
  );
}

/** By itself, or in a range as "M13 to M21". */
function carries(text: string, number: number): boolean {
  return [...text.matchAll(/\bM(\d+)(?: to M(\d+))?\b/g)].some(
    ([, first, last = first]) => Number(first) <= number && number <= Number(last),
  );
}

test('every test that the list of attacks names is there and carries the number', () => {
  const list = readFileSync(listPath, 'utf8');
  expect([...list.matchAll(/^\| M(\d+) \|/gm)].map(([, number]) => Number(number))).toEqual(
    Array.from({ length: 44 }, (_, index) => index + 1),
  );
  expect(findBrokenRows(list, readSourceFiles())).toEqual([]);
});

test('findBrokenRows: finds a test that is gone or has another number, and accepts one that has it', () => {
  const files = new Map([['test/a.test.ts', "it('M1 to M3: …')"]]);
  const row = (number: string, path: string) => findBrokenRows(`| ${number} | attack | \`${path}\` |`, files);
  expect(row('M2', 'a.test.ts')).toEqual([]);
  expect(row('M4', 'a.test.ts')).toEqual(['M4: a.test.ts']);
  expect(row('M2', 'b.test.ts')).toEqual(['M2: b.test.ts']);
});

test('every test that the list of mistakes names is there under its title', () => {
  const list = readFileSync(listPath, 'utf8');
  expect(mistakesIn(list).map(({ number }) => number)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
  expect(findMissingTitles(list, readSourceFiles())).toEqual([]);
});

test('findMissingTitles: finds a file or a title that is gone, and a row without a test; accepts what is there', () => {
  const files = new Map([['test/a.test.ts', "it('does it', …)\nit.each([\n  ['one', …],\n])(\n  'does %s', …)"]]);
  const row = (tests: string) => findMissingTitles(`| 7 | mistake | ${tests} |`, files);
  expect(row('`a.test.ts`: does it')).toEqual([]);
  expect(row('`a.test.ts`: does it<br>`a.test.ts`: does %s')).toEqual([]);
  expect(row('`a.test.ts`: does')).toEqual(['7: does']);
  expect(row('`a.test.ts`: does it<br>`b.test.ts`: does it')).toEqual(['7: does it']);
  expect(row('none')).toEqual(['7: ']);
});
