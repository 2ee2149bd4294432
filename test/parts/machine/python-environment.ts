import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const projectRoot = resolve(import.meta.dirname, '../../..');
const requirementFiles = ['modal/requirements.txt', 'test/modal/requirements.txt'];
const longestMs = 240_000;

/** A Python with the pinned packages, or the reason why there is none here. */
export type PythonEnvironment =
  | { readonly python: string; readonly reason: null }
  | { readonly python: null; readonly reason: string };

/**
 * Makes the virtual environment in node_modules/.cache once for each list of requirements.
 *
 * Where Python or PyPI are not to be had, tests are skipped with the reason in their title.
 */
export function pythonEnvironment(): PythonEnvironment {
  const requirements = requirementFiles.map((name) => readFileSync(join(projectRoot, name), 'utf8')).join('');
  const version = spawnSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
    encoding: 'utf8',
  });
  const [major = 0, minor = 0] = (version.stdout ?? '').trim().split('.').map(Number);
  if (version.status !== 0) return { python: null, reason: 'python3 is not here' };
  if (major < 3 || (major === 3 && minor < 11)) return { python: null, reason: 'python3 is older than 3.11' };
  const name = createHash('sha256').update(`${major}.${minor}\n${requirements}`).digest('hex').slice(0, 16);
  const cache = join(projectRoot, 'node_modules/.cache');
  const folder = join(cache, `sotto-python-${name}`);
  if (!existsSync(folder)) {
    const reason = build(cache, folder);
    if (reason !== null) return { python: null, reason };
  }
  return { python: join(folder, 'bin/python'), reason: null };
}

/** Builds beside its place, because two test files may do so at once; only a whole one gets the name. */
function build(cache: string, folder: string): string | null {
  const place = `${folder}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  const run = (command: string, parameters: readonly string[]) =>
    spawnSync(command, parameters, { encoding: 'utf8', timeout: longestMs, env: { ...process.env, PYTHONPATH: '' } });
  try {
    if (run('python3', ['-m', 'venv', place]).status !== 0) return 'python3 has no venv';
    const files = requirementFiles.flatMap((name) => ['-r', join(projectRoot, name)]);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', ...files];
    if (run(join(place, 'bin/python'), install).status !== 0) return 'PyPI is not reachable';
    if (!existsSync(folder)) renameSync(place, folder);
    return null;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A script of test/ or modal/ answered this. */
export interface PythonResult {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/**
 * Runs a script of the project with nothing of this environment but PATH: no credentials, no settings.
 *
 * @param script - Path in the project, and parameters after it.
 */
export function runPython(
  python: string,
  script: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): PythonResult {
  const [file = '', ...parameters] = script;
  const result = spawnSync(python, [join(projectRoot, file), ...parameters], {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 << 20,
    // HOME: the SDK looks for ~/.modal.toml, which a developer may have.
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', PYTHONDONTWRITEBYTECODE: '1', ...settings },
  });
  return { status: result.status, output: result.stdout, error: result.stderr };
}
