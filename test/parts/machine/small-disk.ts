import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const mebibyte = 2 ** 20;

/** Why this machine cannot make file systems; null when it can. Only root may mount. */
export const noSmallDisks: string | null = reasonAgainst();
/** For the titles of tests that are skipped. */
export const withoutSmallDisks = noSmallDisks === null ? '' : ` (skipped: ${noSmallDisks})`;

/** A file system of so many bytes, gone after the test. */
export function mountSmallDisk(bytes: number): string {
  const folder = makeFolder();
  mount(['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs'], folder);
  return folder;
}

/**
 * A disk that promises more than it has: writing succeeds, and making it durable does not. Thin volumes and failing disks
 * do the same.
 *
 * @param bytes - What it really has.
 */
export function mountThinDisk(bytes: number): string {
  const image = join(mountSmallDisk(bytes), 'image');
  execFileSync('truncate', ['-s', String(64 * mebibyte), image]);
  execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'lazy_itable_init=1', image]);
  const folder = makeFolder();
  mount(['-o', 'loop', image], folder);
  return folder;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function mount(how: readonly string[], folder: string): void {
  execFileSync('mount', [...how, folder], { stdio: 'pipe' });
  // Lazily: what a failed test still holds open must not keep the others from going on.
  onTestFinished(() => void execFileSync('umount', ['-l', folder], { stdio: 'pipe' }));
}

function reasonAgainst(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux may mount';
  const folder = join(tmpdir(), `sotto-disk-trial-${process.pid}`);
  try {
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', folder], { stdio: 'pipe' });
    execFileSync('umount', [folder], { stdio: 'pipe' });
    return null;
  } catch {
    return 'mounting is not allowed here';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
