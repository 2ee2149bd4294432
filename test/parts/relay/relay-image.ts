import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** server/Dockerfile, for tests that check what it says. */
export const relayDockerfile = readFileSync(resolve('server/Dockerfile'), 'utf8');
/** The stage that becomes the image. */
export const relayImageStage = relayDockerfile.slice(relayDockerfile.lastIndexOf('\nFROM '));

/**
 * Does by hand what the last stage does, from its own lines: what the image has in its working folder. The base image and the
 * installation of packages are not covered.
 *
 * @param options.hasClient - The built client too; it must be there.
 */
export function layOutRelayImage(folder: string, options: { readonly hasClient: boolean }): void {
  const copies = options.hasClient
    ? /^COPY (?:--from=client \/build\/)?(?!--)(.+) (\S+)$/gm
    : /^COPY (?!--)(.+) (\S+)$/gm;
  for (const [, names = '', target = ''] of relayImageStage.matchAll(copies)) {
    for (const name of names.split(' ')) {
      cpSync(resolve(name), join(folder, target === './' ? name : target), { recursive: true });
    }
  }
  const removed = new Set(
    [...relayDockerfile.matchAll(/node_modules\/(@?[\w-]+(?:\/[\w-]+)?)/g)].map(([, name]) => name ?? ''),
  );
  const { dependencies } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    if (removed.has(name) || removed.has(name.split('/')[0] ?? '')) continue;
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
}
