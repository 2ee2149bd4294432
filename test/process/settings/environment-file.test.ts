import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEnvironmentFile } from '../../../process/settings/environment-file.ts';
import { complainOfNamesInFile } from '../../../process/settings/unknown-names.ts';
import { readAsCompose } from '../../parts/machine/compose/compose-env.ts';

/** Gives what our processes, and both ways of Compose to read comments, make of it. */
const readings = (text: string) => [
  Object.fromEntries(parseEnvironmentFile(text)),
  Object.fromEntries(readAsCompose(text, 'anywhere')),
  Object.fromEntries(readAsCompose(text, 'blank')),
];

function refusalOf(text: string): string {
  try {
    parseEnvironmentFile(text);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Gives what Compose makes of `A`, or why it reads nothing. */
function composeReads(text: string): string | undefined {
  try {
    return readAsCompose(text, 'anywhere').get('A');
  } catch (error) {
    return (error as Error).message;
  }
}

describe('parseEnvironmentFile', () => {
  test.each<readonly [line: string, value: string]>([
    ['A=', ''],
    ['A=b', 'b'],
    ['  A = b c \t', 'b c'],
    ['export A=b', 'b'],
    ['A=b # said of it', 'b'],
    ['A=b\t#said of it', 'b'],
    ['A=b\r', 'b'],
    ["A='b'", 'b'],
    ["A='b' # said of it", 'b'],
    ["A='b # c'", 'b # c'],
    ["A='$b`\"\\n'", '$b`"\\n'],
    ["A=''", ''],
    ['A="b # c"', 'b # c'],
    ['A="b\'c" # said of it', "b'c"],
    ['A=postgres://u:p@h:1/d?sslmode=require', 'postgres://u:p@h:1/d?sslmode=require'],
    ["A=it's", "it's"],
    ['A=a=b==', 'a=b=='],
    ['A=münchen.example', 'münchen.example'],
    ['A=b\\c', 'b\\c'],
  ])('%j means the same to our processes and to Compose', (line, value) => {
    for (const text of [line, `${line}\n`, `# first\n\n${line}\nB=2\n`]) {
      for (const reading of readings(text)) expect(reading['A']).toBe(value);
    }
  });

  test.each<readonly [line: string, other: string]>([
    ['A=b$c', 'b'],
    ['A=${B}', '1'],
    ['A="$B"', '1'],
    ['A="b\\nc"', 'b\nc'],
    ['A="b\\"c"', 'b"c'],
    ["A='b\\'c'", "b'c"],
    ["A='b\\'", 'no end of a quote'],
    ['A=b#c', 'b'],
    ['A=#c', ''],
    ['A=`b`', '`b`'],
    ["A='b", 'no end of a quote'],
    ["A='b'c", 'no name'],
    ['A="b\nc"', 'b\nc'],
  ])('%j is refused, since Compose or Node reads something else than it says', (line, other) => {
    expect(refusalOf(`B=1\n${line}\n`)).toMatch(
      /^Line 2 of the file \.env could be read in two ways: write A='…', in single quotes\.$/,
    );
    expect(composeReads(`B=1\n${line}\n`)).toBe(other);
  });

  test.each<readonly [text: string, sentence: string]>([
    ['A: b', 'Line 1 of the file .env is no setting: write NAME=value.'],
    ['A', 'Line 1 of the file .env is no setting'],
    ['\n=b', 'Line 2 of the file .env is no setting'],
    ['A-B=c', 'is no setting'],
    ['A=1\nA=1', 'Line 2 of the file .env sets A again: drop one of the two lines.'],
    ['A=b\0c', 'could be read in two ways'],
    [`A=${'b'.repeat(300_000)}`, 'longer than any'],
  ])('%j is refused with a sentence that has nothing of a value', (text, sentence) => {
    expect(refusalOf(text)).toContain(sentence);
  });

  test('a byte order mark and line ends of Windows count for nothing', () => {
    for (const reading of readings('\u{FEFF}A=b\r\nB=c\r\n')) expect(reading).toEqual({ A: 'b', B: 'c' });
  });

  test('every file that is accepted means the same to Compose, whatever is in it', () => {
    const piece = fc.constantFrom(...`ab1 =#$'"\`\\{}:-\t`.split(''), '${A}', " 'b' ", '"c"', ' # d', 'é');
    const line = fc.tuple(fc.constantFrom('A', 'B', 'export C', ' D '), fc.array(piece, { maxLength: 8 }));
    const file = fc
      .array(line, { maxLength: 4 })
      .map((all) => all.map(([name, text]) => `${name}=${text.join('')}`).join('\n'));
    let accepted = 0;
    fc.assert(
      fc.property(file, (text) => {
        if (refusalOf(text) !== 'accepted') return;
        accepted += 1;
        const [own, before, now] = readings(text);
        expect(before).toEqual(own);
        expect(now).toEqual(own);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(2_000);
  });

  test('a value in single quotes is itself, whatever it is, unless it holds such a quote or a line end', () => {
    const value = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .filter((text) => !/['\p{Cc}]/u.test(text) && !text.endsWith('\\'));
    fc.assert(
      fc.property(value, (text) => {
        for (const reading of readings(`A='${text}'`)) expect(reading).toEqual({ A: text });
      }),
    );
  });
});

test('.env.example is read by our processes as by Compose, and has no name that nobody reads', () => {
  const text = readFileSync(resolve('.env.example'), 'utf8');
  const [own, before, now] = readings(text);
  expect([before, now]).toEqual([own, own]);
  expect(() => complainOfNamesInFile(Object.keys(own ?? {}))).not.toThrow();
});
