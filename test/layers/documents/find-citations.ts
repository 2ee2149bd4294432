import type { SourceFiles } from '../source-files.ts';

const citation = /SPEC\.md\s+(?:\*\s+|\/\/\s+)?§\s?(\d+(?:\.\d+)*)/g;
const heading = /^#+\s+§?\s?(\d+(?:\.\d+)*)\.?(?:\s|$)/gm;

/** The section numbers that a specification has as headings: `## 5. Items`, `### 5.2 Context`. */
export function sectionsOf(specification: string): Set<string> {
  return new Set([...specification.matchAll(heading)].flatMap(([, number]) => number ?? []));
}

/** Citations `SPEC.md §n` of sections that are not there, as `path: SPEC.md §n`. */
export function findBrokenCitations(files: SourceFiles, sections: ReadonlySet<string>): string[] {
  return [...files].flatMap(([path, text]) =>
    [...text.matchAll(citation)]
      .flatMap(([, number]) => number ?? [])
      .filter((number) => !sections.has(number))
      .map((number) => `${path}: SPEC.md §${number}`),
  );
}
