/*
 * Docker Compose's reading of an `.env` and of `${NAME}` in a compose file, by its documentation (Set, use, and manage variables
 * in a Compose file with interpolation: "Env file syntax", "Interpolation syntax"). Docker cannot be installed here.
 */

type Values = ReadonlyMap<string, string>;

/**
 * Reads a whole file.
 *
 * @param hash - Whether `#` begins a comment in an unquoted value `anywhere`, as before Compose 2.24, or behind a `blank`.
 */
export function readAsCompose(
  text: string,
  hash: 'anywhere' | 'blank',
  shell: Values = new Map(),
): Map<string, string> {
  const values = new Map<string, string>();
  let rest = text.replace(/^\u{FEFF}/u, '').replaceAll('\r\n', '\n');
  const known = (name: string) => shell.get(name) ?? values.get(name);
  for (;;) {
    rest = rest.replace(/^(\s+|#[^\n]*)+/, '');
    if (rest === '') return values;
    const [head, name = ''] = /^(?:export[ \t]+)?([A-Za-z0-9_.]+)[ \t]*[=:][ \t]*/.exec(rest) ?? [];
    if (head === undefined) throw new Error('no name');
    rest = rest.slice(head.length);
    let value: string;
    if (rest.startsWith("'")) {
      const [all = '', inner = ''] = /^'((?:\\'|[^'\\]|\\(?!'))*)'/.exec(rest) ?? [];
      if (all === '') throw new Error('no end of a quote');
      value = inner.replaceAll("\\'", "'");
      rest = rest.slice(all.length);
    } else if (rest.startsWith('"')) {
      const [all = '', inner = ''] = /^"((?:\\.|[^"\\])*)"/s.exec(rest) ?? [];
      if (all === '') throw new Error('no end of a quote');
      const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
      value = interpolateAsCompose(
        inner.replace(/\\(.)/gs, (_, one: string) => escapes[one] ?? one),
        known,
      );
      rest = rest.slice(all.length);
    } else {
      const [line = ''] = /^[^\n]*/.exec(rest) ?? [];
      const bare = hash === 'anywhere' ? line.replace(/#.*$/, '') : line.replace(/\s+#.*$/, '');
      value = interpolateAsCompose(bare.trimEnd(), known);
      rest = rest.slice(line.length);
    }
    values.set(name, shell.get(name) ?? value);
  }
}

/** Puts values in place of `$NAME`, `${NAME}`, `${NAME:-other}`, `${NAME:?error}`, `${NAME:+instead}`; `$$` is a dollar. */
export function interpolateAsCompose(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(
    /\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-?+])([^}]*))?\})/g,
    (all, plain?: string, braced?: string, colon?: string, sign?: string, other = '') => {
      if (all === '$$') return '$';
      const value = valueOf(plain ?? braced ?? '');
      const isThere = value !== undefined && (colon !== ':' || value !== '');
      if (sign === '-') return isThere ? value : String(other);
      if (sign === '+') return isThere ? String(other) : '';
      if (sign === '?' && !isThere) throw new Error(String(other));
      return value ?? '';
    },
  );
}
