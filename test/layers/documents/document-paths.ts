/** Documents speak of these: files and folders by their path from the project's root, and the scripts of package.json. */
export type Tree = {
  has(path: string): boolean;
  /** null for a folder. */
  read(path: string): string | null;
  readonly scripts: ReadonlySet<string>;
};

export type DocumentRules = {
  /** Its folder, `''` for the root: paths may begin there too. */
  readonly folder: string;
  /** True if each name has to stand in a file of its sentence, row or step. */
  readonly checksNames: boolean;
};

const path = /^(?!\/)[\w.@-]*(\/[\w.@-]+)*\/?$/;
const fileName = /\.(ts|tsx|md|json|yml|css|js|mjs|py|tf|example)$/;
const name = /^[A-Za-z_$][\w$-]*(\.[A-Za-z_$][\w$-]*)*$/;
/** Stands for the name of something that a reader is about to make. */
const placeholder = /\bNAME\b/;

/** Paths, scripts and names of a document that the project does not have. */
export function findBrokenMentions(document: string, tree: Tree, rules: DocumentRules): string[] {
  return blocksOf(document).flatMap((block) => {
    const spans = spansOf(block);
    const paths = spans.filter(isPath);
    const broken = paths.filter((span) => resolve(span, tree, rules.folder) === null);
    const scripts = spans
      .flatMap((span) => /^npm run (\S+)/.exec(span)?.[1] ?? [])
      .filter((script) => !tree.scripts.has(script));
    if (!rules.checksNames) return [...broken, ...scripts];
    const texts = paths.flatMap((span) => tree.read(resolve(span, tree, rules.folder) ?? '') ?? []);
    const names = spans.filter((span) => !isPath(span) && name.test(span));
    return [...broken, ...scripts, ...names.filter((span) => !texts.some((text) => holds(text, span)))];
  });
}

/** One part of a document, without the parts of the same level below it. */
export function sectionOf(document: string, heading: string): string {
  const start = document.indexOf(`\n${heading}\n`);
  if (start < 0) return '';
  const level = heading.slice(0, heading.indexOf(' ') + 1);
  const end = document.indexOf(`\n${level}`, start + heading.length);
  return document.slice(start, end < 0 ? undefined : end);
}

/** Paragraphs, steps and rows of tables; drawings and examples in fences are none. */
function blocksOf(document: string): string[] {
  return document
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/\n(?=\||[-*] |\d+\. |#)/g, '\n\n')
    .split(/\n{2,}/);
}

/** Code within a line, the words of commands, and the targets of links. */
function spansOf(block: string): string[] {
  const code = [...block.matchAll(/`([^`]+)`/g)].flatMap(([, span = '']) => [span, ...argumentsOf(span)]);
  const links = [...block.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  return [...code, ...links];
}

function argumentsOf(command: string): string[] {
  return command
    .split(' ')
    .slice(1)
    .filter((word) => isPath(word));
}

function isPath(span: string): boolean {
  return path.test(span) && span !== '' && (span.includes('/') || fileName.test(span));
}

/** @returns the path from the root; of a placeholder the folder that it is to be made in; null where nothing is there. */
function resolve(span: string, tree: Tree, folder: string): string | null {
  const [fixed = ''] = span.split(placeholder);
  const wanted = fixed === span ? span : fixed.slice(0, fixed.lastIndexOf('/') + 1);
  const bare = wanted.replace(/\/$/, '');
  return [bare, folder === '' ? bare : `${folder}/${bare}`].find((each) => tree.has(each)) ?? null;
}

/** True if each part of a name stands in a text as a word of its own. */
function holds(text: string, dotted: string): boolean {
  return dotted
    .split('.')
    .every((part) => new RegExp(`(?<![\\w$])${part.replaceAll('$', '\\$')}(?![\\w$])`).test(text));
}
