import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { projectRoot } from '../parts/machine/python-environment.ts';

const dockerfiles = ['server/Dockerfile', 'enclave-worker/Dockerfile'];

/** Lists what a Dockerfile copies out of the project, without what stages copy from each other. */
function copied(text: string): readonly string[] {
  return [...text.matchAll(/^COPY (?!.*--from)(.+)$/gm)].flatMap(([, rest = '']) =>
    rest
      .split(/\s+/)
      .filter((word) => !word.startsWith('--'))
      .slice(0, -1),
  );
}

it('server/Dockerfile copies all that the build of the client imports, before it builds', async () => {
  await using folder = await makeTemporaryFolder('client-stage');
  const [stage = ''] = readFileSync(join(projectRoot, 'server/Dockerfile'), 'utf8').split('npm run build');
  const sources = copied(stage).flatMap((source) => (source === 'tsconfig*.json' ? [] : [source]));
  expect(sources).toContain('client');
  for (const source of sources) {
    cpSync(join(projectRoot, source), join(folder.path, source), {
      recursive: true,
      filter: (path) => path !== join(projectRoot, 'client/dist'),
    });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(folder.path, 'node_modules'));
  // Its first steps alone: other tests do the bundling.
  const script = "await import('./client/build.ts'); await import('./client/vite.config.ts');";
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder.path,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

describe.each(dockerfiles)('%s', (name) => {
  const text = readFileSync(join(projectRoot, name), 'utf8');

  it('copies what is in the project, by git, so that a fresh clone builds', () => {
    const sources = copied(text);
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) {
      const inProject = spawnSync('git', ['ls-files', '--', source], { cwd: projectRoot, encoding: 'utf8' });
      // In an archive without git, being there has to do.
      const isThere = inProject.status === 0 ? inProject.stdout.trim() !== '' : existsSync(join(projectRoot, source));
      expect(isThere, source).toBe(true);
    }
    expect(copied('COPY --chown=0:0 a b ./\nCOPY --from=x c d')).toEqual(['a', 'b']);
  });

  it('runs as nobody special, on bases by digest', () => {
    const stages = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base = '']) => base);
    expect(stages.filter((base) => !/@sha256:[0-9a-f]{64}$/.test(base))).toEqual([]);
    const users = [...text.matchAll(/^USER (\S+)$/gm)].map(([, user]) => user);
    expect(users.at(-1)).toMatch(/^(node|[1-9]\d*(:[1-9]\d*)?)$/);
  });
});
