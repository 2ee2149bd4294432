import { expect, test } from 'vitest';
import { declaredCodes } from '../../../../server/api/route/declared-codes.ts';
import { defineRoute } from '../../../../server/api/route/route.ts';
import { enclaveErrors } from '../../../../server/pools/enclave-call.ts';
import { readFileShape } from '../../../layers/read-imports.ts';
import { readSourceFiles, type SourceFiles } from '../../../layers/source-files.ts';

const definesRoutes = (text: string) => text.includes('defineRoute({');

/** Guards, limits and parsing may answer these at any route. */
const ofEveryRoute = declaredCodes(
  defineRoute({
    name: 'any',
    summary: '',
    method: 'POST',
    url: '/any',
    access: 'session',
    answers: {},
    handle: () => ({ status: 200, body: null }),
  }),
);

/** Codes that a file of routes reaches by its imports and names nowhere. Another file of routes declares its own. */
function undeclaredIn(files: SourceFiles, routes: string): string[] {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    const text = files.get(path);
    const isOther = path !== routes && definesRoutes(text ?? '');
    if (text === undefined || seen.has(path) || isOther || !path.startsWith('server/')) return;
    seen.add(path);
    for (const each of readFileShape(path, text).imports) if (!each.isTypeOnly && each.path !== null) visit(each.path);
  };
  visit(routes);
  const own = files.get(routes) ?? '';
  const declared = new Set<string>([
    ...ofEveryRoute,
    'too-large',
    'wrong-media-type',
    ...[...own.matchAll(/rrors(?:: | = )\[([^\]]*)\]/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code),
    ),
    ...(own.includes('enclaveErrors') ? enclaveErrors : []),
  ]);
  const thrown = [...seen].flatMap((path) =>
    [...(files.get(path) ?? '').matchAll(/new RelayError\(\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
  );
  return [...new Set(thrown)].filter((code) => !declared.has(code));
}

const files = readSourceFiles();
const routeFiles = [...files].flatMap(([path, text]) =>
  path.startsWith('server/') && definesRoutes(text) ? [path] : [],
);

test('there are files of routes to look through', () => {
  expect(routeFiles.length).toBeGreaterThan(6);
});

test.each(routeFiles)('%s declares every code that it or a file behind it throws', (path) => {
  expect(undeclaredIn(files, path)).toEqual([]);
});

test('undeclaredIn: finds a code that is thrown two files away, and none that is declared', () => {
  const tree = (errors: string) =>
    new Map([
      ['server/a-routes.ts', `import { a } from './b.ts';\nexport const route = defineRoute({ errors: [${errors}] });`],
      ['server/b.ts', `import { c } from './c.ts';\nimport type { D } from './d.ts';`],
      ['server/c.ts', `throw new RelayError('item-conflict');\nthrow new RelayError('bad-request');`],
      ['server/d.ts', `throw new RelayError('gone');`],
    ]);
  expect(undeclaredIn(tree(''), 'server/a-routes.ts')).toEqual(['item-conflict']);
  expect(undeclaredIn(tree(`'item-conflict'`), 'server/a-routes.ts')).toEqual([]);
});
