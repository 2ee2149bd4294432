import { posix } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** One import, re-export, dynamic import or `new URL(…, import.meta.url)` of a file. */
export interface Import {
  /** The specifier as written, without a bundler's `?query`. */
  readonly specifier: string;
  /** Path from the project's root when the specifier is relative, else null. */
  readonly path: string | null;
  /** Gone when the code runs. */
  readonly isTypeOnly: boolean;
}

/** The layer rules look at this in one file. */
export interface FileShape {
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  /** It declares names that something else provides, or takes them from the global object. */
  readonly takesFromOutside: boolean;
}

/** Stands for a specifier that is only known when the code runs. */
export const computedSpecifier = '(computed)';

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Parses a file with rolldown's parser: TypeScript 7 has no JavaScript API. */
export function readFileShape(filePath: string, text: string): FileShape {
  const lang = filePath.endsWith('.d.ts') ? 'dts' : filePath.endsWith('.tsx') ? 'tsx' : 'ts';
  const imports: Import[] = [];
  let hasDefaultExport = false;
  let takesFromOutside = false;
  const add = (source: unknown, isTypeOnly: boolean): void => {
    if (!isNode(source)) return;
    const specifier = specifierOf(source).replace(/\?.*$/, '');
    const path = specifier.startsWith('.') ? posix.join(posix.dirname(filePath), specifier) : null;
    imports.push({ specifier, path, isTypeOnly });
  };
  visit(parseAst(text, { lang }) as unknown as Node, (node) => {
    if (node.type === 'ImportDeclaration') add(node['source'], node['importKind'] === 'type' || namesOnlyTypes(node));
    if (node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') {
      add(node['source'], node['exportKind'] === 'type');
    }
    if (node.type === 'ImportExpression') add(node['source'], false);
    if (node.type === 'TSImportType') add(node['source'], true);
    if (node.type === 'NewExpression') add(urlOfThisModule(node), false);
    if (node.type === 'ExportDefaultDeclaration') hasDefaultExport = true;
    if (node['declare'] === true || (node.type === 'Identifier' && node['name'] === 'globalThis')) {
      takesFromOutside = true;
    }
  });
  return { imports, hasDefaultExport, takesFromOutside };
}

/** A template without a hole says as much as a text. */
function specifierOf(source: Node): string {
  if (typeof source['value'] === 'string') return source['value'];
  const [quasi, ...others] = (source['quasis'] ?? []) as readonly { readonly value: { readonly cooked: string } }[];
  return quasi === undefined || others.length > 0 ? computedSpecifier : quasi.value.cooked;
}

/** `import { type A }` keeps a side-effect import under verbatimModuleSyntax, but binds nothing. */
function namesOnlyTypes(node: Node): boolean {
  const specifiers = node['specifiers'] as readonly Node[];
  return specifiers.length > 0 && specifiers.every((specifier) => specifier['importKind'] === 'type');
}

/** The first argument of `new URL('./file', import.meta.url)`, which is how a worker or an asset is named. */
function urlOfThisModule(node: Node): unknown {
  const [path, base] = node['arguments'] as readonly Node[];
  const isUrl = isNode(node['callee']) && node['callee']['name'] === 'URL';
  const isOfThisModule = isNode(base?.['object']) && base['object'].type === 'MetaProperty';
  const isFile = typeof path?.['value'] === 'string' && /^\.\.?\/.*\.tsx?$/.test(path['value']);
  return isUrl && isOfThisModule && isFile ? path : undefined;
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const element of value) if (isNode(element)) visit(element, look);
    } else if (isNode(value)) {
      visit(value, look);
    }
  }
}
