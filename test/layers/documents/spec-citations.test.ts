import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBrokenCitations, sectionsOf } from './find-citations.ts';
import { projectRoot, readSourceFiles } from '../source-files.ts';

const specificationPath = join(projectRoot, 'crypto', 'SPEC.md');
const sign = '\u00a7';

test('every cited section of SPEC.md is there', () => {
  const sections = sectionsOf(readFileSync(specificationPath, 'utf8'));
  expect(sections.size).toBeGreaterThan(0);
  expect(findBrokenCitations(readSourceFiles(), sections)).toEqual([]);
});

test('findBrokenCitations: finds a section that is not there, and accepts one that is', () => {
  const sections = sectionsOf('# Title\n\n## 5. Items\n\ntext 6. no heading\n\n### 5.2 Context\n');
  const cite = (number: string) => findBrokenCitations(new Map([['a.ts', `// SPEC.md ${sign}${number}.`]]), sections);
  expect(cite('5')).toEqual([]);
  expect(cite('5.2')).toEqual([]);
  expect(cite('5.3')).toEqual([`a.ts: SPEC.md ${sign}5.3`]);
  expect(cite('6')).toEqual([`a.ts: SPEC.md ${sign}6`]);
});
