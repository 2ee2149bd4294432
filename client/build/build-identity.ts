import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { encodeCanonicalJson } from '../../crypto/protocol/json/canonical-json.ts';
import { readClientPolicy } from './client-policy.ts';

const projectFolder = join(import.meta.dirname, '..', '..');

/** A built client is made of these; anything else in the project cannot change it. */
const inputPaths = ['client', 'crypto', 'package-lock.json'];
const ignoredNames = new Set(['dist', 'node_modules']);
/** The compiled-in policy is hashed by itself, wherever it lies: one policy gives one name. */
const policyPath = join(projectFolder, 'client', 'policy.json');
const ignoredEndings = ['.tsbuildinfo', '.md'];

export type BuildIdentity = { readonly version: string; readonly build: string };

/**
 * Version of package.json and a hash over all inputs of the client, its policy included. The same sources give the same name
 * on every machine, with and without a git checkout. So anyone can compare a relay's page with their own build.
 */
export function readBuildIdentity(): BuildIdentity {
  const { version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string };
  const hash = createHash('sha256').update(`${version}\n`);
  hash.update('policy\0').update(encodeCanonicalJson(readClientPolicy()));
  for (const path of inputPaths.flatMap((name) => listFiles(join(projectFolder, name)))) {
    if (path === policyPath) continue;
    const contents = readFileSync(path);
    hash.update(`${relative(projectFolder, path).split(sep).join('/')}\0${contents.length}\0`).update(contents);
  }
  return { version, build: hash.digest('hex').slice(0, 12) };
}

/** All files under a path in a fixed order; the path itself when it is a file. */
function listFiles(path: string): string[] {
  if (path.endsWith('.json')) return [path];
  return readdirSync(path, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (ignoredNames.has(entry.name) || ignoredEndings.some((ending) => entry.name.endsWith(ending))) return [];
      const child = join(path, entry.name);
      if (entry.isDirectory()) return listFiles(child);
      return entry.isFile() ? [child] : [];
    });
}
