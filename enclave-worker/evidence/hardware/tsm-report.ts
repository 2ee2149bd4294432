import { randomBytes } from 'node:crypto';
import { mkdir, open, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { EvidenceError, type EvidenceProblem } from '../source/evidence-source.ts';

/** Where Linux 6.7 and later offer reports (Documentation/ABI/testing/configfs-tsm-report). */
export const tsmFolder = '/sys/kernel/config/tsm/report';
export type TsmProvider = 'sev_guest' | 'tdx_guest';
export type TsmReport = {
  readonly outblob: Bytes;
  /** The host gave this along with it; null where there is none. */
  readonly auxblob: Bytes | null;
};

const maximumBlobLength = 65_536;
const maximumTextLength = 4096;
const attempts = 5;
const firstPauseMs = 20;

/** Somebody else wrote to the entry, or the driver was busy. */
const passing = new Set(['EBUSY', 'EAGAIN', 'EWOULDBLOCK', 'EINTR', 'ETIMEDOUT']);
const problems: Readonly<Record<string, EvidenceProblem>> = {
  ENOENT: 'no-interface',
  ENOTDIR: 'no-interface',
  ENXIO: 'no-provider',
  ENODEV: 'no-provider',
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
  EROFS: 'not-permitted',
  EFBIG: 'too-large',
};

/**
 * Asks the machine for one signed report.
 *
 * An entry of our own for each report; its generation says whether anybody else has written to it meanwhile, and then
 * it all begins again.
 *
 * @param input.reportData - 64 bytes, which the report will hold.
 * @throws {EvidenceError}
 */
export async function readTsmReport(input: {
  readonly folder: string;
  readonly provider: TsmProvider;
  readonly reportData: Uint8Array;
}): Promise<TsmReport> {
  let pauseMs = firstPauseMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const report = await tryOnce(input);
      if (report !== null) return report;
    } catch (error) {
      if (error instanceof EvidenceError) throw error;
      const code = codeOf(error);
      if (!passing.has(code)) throw new EvidenceError(problems[code] ?? 'failed');
    }
    if (attempt === attempts) throw new EvidenceError('interrupted');
    await sleep(pauseMs);
    pauseMs *= 2;
  }
}

/** @returns null when the entry was not ours alone. */
async function tryOnce(input: {
  readonly folder: string;
  readonly provider: TsmProvider;
  readonly reportData: Uint8Array;
}): Promise<TsmReport | null> {
  const entry = join(input.folder, `sotto-${randomBytes(8).toString('hex')}`);
  await mkdir(entry);
  try {
    const provider = (await readText(join(entry, 'provider'))).trim();
    if (provider !== input.provider) throw new EvidenceError('wrong-provider');
    let expected = await readGeneration(entry);
    // The kernel reports no error of this write: that it counted shows in the generation alone.
    await write(join(entry, 'inblob'), input.reportData);
    expected += 1n;
    const floor = await optional(readText(join(entry, 'privlevel_floor')));
    if (floor !== null && floor.trim() !== '0') {
      await write(join(entry, 'privlevel'), Buffer.from(floor.trim()));
      expected += 1n;
    }
    const outblob = await read(join(entry, 'outblob'), maximumBlobLength);
    const auxblob = await optional(read(join(entry, 'auxblob'), maximumBlobLength));
    if ((await readGeneration(entry)) !== expected) return null;
    return { outblob, auxblob: auxblob === null || auxblob.length === 0 ? null : auxblob };
  } finally {
    // A report in hand is worth more than a folder that stays behind.
    await rmdir(entry).catch(() => {});
  }
}

async function readGeneration(entry: string): Promise<bigint> {
  const text = (await readText(join(entry, 'generation'))).trim();
  if (!/^\d{1,20}$/.test(text)) throw new EvidenceError('malformed');
  return BigInt(text);
}

async function readText(file: string): Promise<string> {
  return Buffer.from(await read(file, maximumTextLength)).toString('latin1');
}

/** To the end, whatever length the file says that it has: the kernel's attributes say a page, or nothing. */
async function read(file: string, maximumLength: number): Promise<Bytes> {
  const handle = await open(file, 'r');
  try {
    const buffer = new Uint8Array(maximumLength + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maximumLength) throw new EvidenceError('too-large');
    return buffer.slice(0, length);
  } finally {
    await handle.close();
  }
}

/** In one write: the kernel takes each as a whole value. */
async function write(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    const { bytesWritten } = await handle.write(bytes, 0, bytes.length, null);
    if (bytesWritten !== bytes.length) throw new EvidenceError('failed');
  } finally {
    await handle.close();
  }
}

/** Attributes that this machine does not have are null. */
async function optional<Value>(reading: Promise<Value>): Promise<Value | null> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
