import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';

/** A compose file as Compose merges it (`<<`), with a key that stands twice refused; variables are left as they are. */
export function readComposeFile(name: string): unknown {
  return parse(readFileSync(resolve(import.meta.dirname, '../../../..', name), 'utf8'), {
    merge: true,
    strict: true,
    uniqueKeys: true,
  });
}
