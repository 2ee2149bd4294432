import { expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../../../server/api/pages/security-headers.ts';

const directives = new Map(
  contentSecurityPolicy.split('; ').map((directive) => {
    const [name = '', ...sources] = directive.split(' ');
    return [name, sources] as const;
  }),
);

test('contentSecurityPolicy: nothing inline, nothing evaluated, nothing from elsewhere (M40)', () => {
  const sources = [...directives.values()].flat();
  for (const refused of [
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    '*',
    'http:',
    'https:',
    'ws:',
    'wss:',
  ]) {
    expect(sources).not.toContain(refused);
  }
  expect(sources.filter((source) => source.includes('.') || source.includes('//'))).toEqual([]);
  expect(directives.get('default-src')).toEqual(["'none'"]);
  for (const name of ['base-uri', 'form-action', 'frame-ancestors']) expect(directives.get(name)).toEqual(["'none'"]);
  expect(directives.get('connect-src')).toEqual(["'self'"]);
  // WebAssembly is compiled, which is no evaluation of text.
  expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
});
