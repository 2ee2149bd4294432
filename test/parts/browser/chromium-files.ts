import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import packageJson from '../../../package.json' with { type: 'json' };

/** An executable browser and the environment that it must be started with. */
export interface ChromiumFiles {
  readonly executablePath: string;
  readonly environment: Readonly<Record<string, string>>;
}

const unpackScript = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;

/**
 * Unpacks the headless Chromium inside `@sparticuz/chromium` (Linux x64), once for a machine and version: 211 MB, 2 s.
 *
 * The package unpacks to fixed names in the temporary folder, and takes a half-written file of another process for a whole
 * one. So it works in a folder of its own, in a process of its own, and the result gets its name in one step.
 */
export async function unpackChromium(): Promise<ChromiumFiles> {
  const folder = join(
    tmpdir(),
    `sotto-chromium-${packageJson.devDependencies['@sparticuz/chromium']}-${userInfo().uid}`,
  );
  if (!existsSync(folder)) {
    const staging = await mkdtemp(`${folder}-`);
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', unpackScript], {
      cwd: import.meta.dirname,
      // On Amazon Linux the package also unpacks the NSS libraries, which a bare Debian lacks as well.
      env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
    });
    await writeFontSettings(staging, folder);
    await rename(staging, folder).catch(() => rm(staging, { recursive: true, force: true }));
  }
  return {
    executablePath: join(folder, 'chromium'),
    environment: {
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      // A machine with fonts of its own shows them; a bare one gets the package's Open Sans.
      ...(existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_FILE: join(folder, 'fonts.conf') }),
    },
  };
}

async function writeFontSettings(staging: string, folder: string): Promise<void> {
  await mkdir(join(staging, 'font-cache'));
  const settings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'font-cache')}</cachedir>
</fontconfig>
`;
  await writeFile(join(staging, 'fonts.conf'), settings);
}
