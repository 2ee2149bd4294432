import { describe, expect, test } from 'vitest';
import { findPageWords } from './find-page-words.ts';
import { readSourceFiles } from '../source-files.ts';

const pageFiles = [...readSourceFiles()].filter(
  ([path]) => path.startsWith('client/page/') && !/^client\/page\/texts\/[a-z]{2}\//.test(path),
);

test('no words for people stand in the page outside of client/page/texts/<language>/', () => {
  const found = pageFiles.flatMap(([path, text]) => findPageWords(path, text).map((words) => `${path}:${words}`));
  expect(pageFiles.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

/** Each: code of a page with words in it, a part of the finding, and the twin that is accepted. */
const cases: readonly [name: string, refused: string, finding: string, accepted: string][] = [
  ['a text', '<p>Nothing here</p>', 'Nothing here', `<p>{say('not-found.heading')}</p>`],
  ['a text of one small word', '<b>unsent</b>', 'unsent', '<b>·</b>'],
  ['the accessible name', '<nav aria-label="menu" />', 'menu', '<nav aria-labelledby="menu" />'],
  ['a tooltip', '<i title="Send" />', 'Send', `<i title={say('composer.send')} />`],
  ['a placeholder', '<input placeholder={`write`} />', 'write', `<input placeholder={say('composer.placeholder')} />`],
  ['the text of a picture', '<img alt="a lock" />', 'a lock', '<img alt="" />'],
  ['a property of a component', '<Field hint="at least twelve" />', 'at least twelve', '<Field look="primary" />'],
  ['a choice between two texts', `<b>{open ? 'hide' : 'show'}</b>`, 'hide', `<b>{open ? say('a') : say('b')}</b>`],
  [
    'a choice in a property',
    `<b title={open ? 'hide' : ''} />`,
    'hide',
    `<b title={state === 'hide' ? say('a') : ''} />`,
  ],
  [
    'a text behind a condition',
    `<b>{done && 'copied'}</b>`,
    'copied',
    `<b>{kind === 'copied' && say('copy.done')}</b>`,
  ],
  ['a template', '<b>{`${count} words`}</b>', 'words', '<b>{`${count} / ${all}`}</b>'],
  ['a template that is returned', 'const f = (n) => `Wait ${n} minutes`;', 'Wait', 'const f = (n) => `/chat/${n}`;'],
  ['a word in a table', `const names = { a: 'Today' };`, 'Today', `const names = { a: 'today' };`],
  [
    'a sentence in small letters',
    `const why = 'the disk is full';`,
    'the disk is full',
    `const look = 'flex items-start gap-3 font-mono';`,
  ],
  ['a message given to a function', `setText('Could not copy.');`, 'Could not copy', `setState('copy-failed');`],
  ['a value of a message', `say('a', { name: 'The relay' });`, 'The relay', `say('a', { name: relay });`],
  ['a key', `if (event.key === 'Wait here') stop();`, 'Wait here', `if (event.key === 'Escape') stop();`],
  [
    'what a person reads',
    `const f = () => 'Something failed here';`,
    'Something failed',
    `throw new Error('Only a developer reads this');`,
  ],
];

describe('findPageWords', () => {
  test.each(cases)('%s: words are found, and nothing else is', (_name, refused, finding, accepted) => {
    expect(findPageWords('page.tsx', refused)).toEqual(expect.arrayContaining([expect.stringContaining(finding)]));
    expect(findPageWords('page.tsx', accepted)).toEqual([]);
  });
});
