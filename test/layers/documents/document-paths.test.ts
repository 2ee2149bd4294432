import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findBrokenMentions, sectionOf, type Tree } from './document-paths.ts';
import { projectRoot } from '../source-files.ts';

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object };

const project: Tree = {
  has: (path) => existsSync(join(projectRoot, path)),
  read: (path) => {
    const file = join(projectRoot, path);
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file, 'utf8') : null;
  },
  scripts: new Set(Object.keys(scripts)),
};

const read = (document: string) => readFileSync(join(projectRoot, document), 'utf8');

test.each(['docs/ARCHITECTURE.md', 'CONTRIBUTING.md'])(
  '%s names files, scripts and definitions that there are',
  (document) => {
    expect(findBrokenMentions(read(document), project, { folder: '', checksNames: true })).toEqual([]);
  },
);

test('README.md, Layout: each path and script is there', () => {
  const layout = sectionOf(read('README.md'), '## Layout');
  expect(layout).toContain('client/');
  expect(findBrokenMentions(layout, project, { folder: '', checksNames: false })).toEqual([]);
});

test('SECURITY.md: each test that shows a promise is there', () => {
  const security = read('SECURITY.md');
  expect(security).toContain('`test/server/`');
  const broken = findBrokenMentions(security, project, { folder: '', checksNames: false });
  expect(broken.filter((mention) => mention.startsWith('test/'))).toEqual([]);
});

test.each([
  'client/vault/README.md',
  'client/page/texts/README.md',
  'server/turns/README.md',
  'test/parts/users/README.md',
])('%s: each path and script is there', (document) => {
  expect(findBrokenMentions(read(document), project, { folder: dirname(document), checksNames: false })).toEqual([]);
});

const tree: Tree = {
  has: (path) => ['server', 'server/turns', 'server/turns/start.ts', 'README.md'].includes(path),
  read: (path) => (path === 'server/turns/start.ts' ? 'export function startTurn(turnId) {}' : null),
  scripts: new Set(['check']),
};
const faults = (document: string, folder = '') => findBrokenMentions(document, tree, { folder, checksNames: true });

test('findBrokenMentions: finds a file that moved, in code and in a link, and accepts one that is there', () => {
  expect(faults('See `server/turns/start.ts`, `server/turns/` and [this](README.md).')).toEqual([]);
  expect(faults('See `server/start.ts`, `start.ts`, `server/turn/` and [this](READ.md#top).')).toEqual([
    'server/start.ts',
    'start.ts',
    'server/turn/',
    'READ.md',
  ]);
  expect(faults('See `start.ts` and `turns/start.ts`.', 'server')).toEqual(['start.ts']);
});

test('findBrokenMentions: a name has to stand as a word in a file of its sentence, row or step', () => {
  expect(faults('`startTurn` in `server/turns/start.ts` takes a `turnId`.')).toEqual([]);
  expect(faults('`startTurn.turnId` in `server/turns/start.ts`, `start`, `startTurn.gone`')).toEqual([
    'start',
    'startTurn.gone',
  ]);
  expect(faults('- `server/turns/start.ts` begins.\n- `startTurn` stands in another step.')).toEqual(['startTurn']);
  expect(faults('| `server/turns/start.ts` |\n| `startTurn` |')).toEqual(['startTurn']);
});

test('findBrokenMentions: the place of something new is looked for, its name is not', () => {
  expect(faults('`server/turns/NAME.ts`, `server/NAME/` and `server/turns/NAME/rows.ts`')).toEqual([]);
  expect(faults('`client/NAME.ts`')).toEqual(['client/NAME.ts']);
});

test('findBrokenMentions: a script and the arguments of a command are looked for, addresses and fences are not', () => {
  expect(faults('`npm run check`, `/v1/turns`, `npx vitest run server/turns`\n\n```\nserver/gone.ts\n```\n')).toEqual(
    [],
  );
  expect(faults('`npm run gone`, `npx vitest run server/gone`')).toEqual(['server/gone', 'gone']);
});

test('sectionOf: a section ends where the next one of its level begins', () => {
  const document = '# A\n\n## One\n\nfirst\n\n### Below\n\nmore\n\n## Two\n\nsecond\n';
  expect(sectionOf(document, '## One')).toContain('more');
  expect(sectionOf(document, '## One')).not.toContain('second');
  expect(sectionOf(document, '## Three')).toBe('');
});
