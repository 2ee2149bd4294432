import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

export type ModuleLinks = { readonly imports: readonly string[]; readonly dynamicImports: readonly string[] };

/**
 * Reads what each built script loads, from the scripts themselves: Vite's manifest leaves the Worker's own chunks out.
 *
 * @param names - Files of the build, relative to `folder`.
 */
export function readBundleGraph(folder: string, names: readonly string[]): Record<string, ModuleLinks> {
  const graph: Record<string, ModuleLinks> = {};
  for (const name of names.filter((each) => each.endsWith('.js'))) {
    const imports = new Set<string>();
    const dynamicImports = new Set<string>();
    const resolve = (target: string) => posix.join(posix.dirname(name), target);
    visit(parseAst(readFileSync(join(folder, name), 'utf8')), (node) => {
      const target = relativeSource(node);
      if (target === null) return;
      (node['type'] === 'ImportExpression' ? dynamicImports : imports).add(resolve(target));
    });
    graph[name] = { imports: [...imports], dynamicImports: [...dynamicImports] };
  }
  return graph;
}

/** A script and all that it imports before it can run. */
export function staticClosure(graph: Record<string, ModuleLinks>, entries: readonly string[]): string[] {
  const found = new Set<string>();
  const queue = [...entries];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    queue.push(...(graph[name]?.imports ?? []));
  }
  return [...found];
}

type AstNode = Record<string, unknown>;

type Source = { value?: unknown; quasis?: { value: { cooked: string } }[] };

function relativeSource(node: AstNode): string | null {
  const source = node['source'] as Source | null | undefined;
  // A minifier may write the name as a template without holes.
  const name = source?.quasis?.length === 1 ? source.quasis[0]?.value.cooked : source?.value;
  return typeof name === 'string' && name.startsWith('.') ? name : null;
}

function visit(value: unknown, onNode: (node: AstNode) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(each, onNode);
  } else if (typeof value === 'object' && value !== null) {
    const node = value as AstNode;
    if (typeof node['type'] === 'string') onNode(node);
    for (const child of Object.values(node)) if (typeof child === 'object') visit(child, onNode);
  }
}
