import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { EvidenceError } from '../../../../enclave-worker/evidence/source/evidence-source.ts';
import { readTsmReport, type TsmProvider } from '../../../../enclave-worker/evidence/hardware/tsm-report.ts';
import { mountTsm, TsmKernel } from '../../../parts/evidence/amd/tsm-folder.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

const folder = '/nowhere/tsm/report';
const reportData = new Uint8Array(64).map((_, index) => index);
const auxblob = new Uint8Array(9000).fill(5);
let unmount = () => {};
afterEach(() => unmount());

/** Signs nothing: the report is what went in, behind a head, and longer than a page. */
function outblobFor(inblob: Uint8Array, privlevel = 0): Uint8Array {
  return Uint8Array.from([privlevel, ...inblob, ...new Uint8Array(5000).fill(7)]);
}

function mount(options: Partial<ConstructorParameters<typeof TsmKernel>[0]> = {}): TsmKernel {
  const kernel = new TsmKernel({
    provider: 'sev_guest',
    makeReport: (inblob, privlevel) => ({ outblob: outblobFor(inblob, privlevel), auxblob }),
    ...options,
  });
  unmount = mountTsm(folder, kernel);
  return kernel;
}

const read = (provider: TsmProvider = 'sev_guest') => readTsmReport({ folder, provider, reportData });

async function problemOf(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof EvidenceError) return error.problem;
    throw error;
  }
  return 'none';
}

describe('readTsmReport', () => {
  test('gives the report over these 64 bytes, and the host’s table, and leaves no entry behind', async () => {
    const kernel = mount();
    const report = await read();
    expect(report.outblob).toEqual(outblobFor(reportData));
    expect(report.auxblob).toEqual(auxblob);
    expect(kernel).toMatchObject({ made: 1, entries: [] });
  });

  test('a TDX guest has neither table nor privilege levels', async () => {
    mount({ provider: 'tdx_guest', makeReport: (inblob) => ({ outblob: outblobFor(inblob), auxblob: null }) });
    expect(await read('tdx_guest')).toEqual({ outblob: outblobFor(reportData), auxblob: null });
  });

  test('an empty table is none', async () => {
    mount({ makeReport: (inblob) => ({ outblob: outblobFor(inblob), auxblob: new Uint8Array(0) }) });
    expect((await read()).auxblob).toBeNull();
  });

  test('asks for the least privilege that it may, where there is one', async () => {
    mount({ privlevelFloor: 2 });
    expect((await read()).outblob[0]).toBe(2);
    unmount();
    mount({ privlevelFloor: 0 });
    expect((await read()).outblob[0]).toBe(0);
  });

  test('begins again when somebody else wrote to its entry, and never takes their report', async () => {
    const kernel = mount();
    kernel.faults.disturbed = 2;
    expect((await read()).outblob).toEqual(outblobFor(reportData));
    expect(kernel).toMatchObject({ made: 3, entries: [] });
  });

  test('gives up on an entry that is disturbed each time', async () => {
    const kernel = mount();
    kernel.faults.disturbed = 100;
    expect(await problemOf(read())).toBe('interrupted');
    expect(kernel).toMatchObject({ made: 5, entries: [] });
  });

  test('a write that the kernel dropped without a word is no report', async () => {
    const kernel = mount();
    kernel.faults.droppedWrites = 1;
    // There is nothing to sign at all.
    expect(await problemOf(read())).toBe('failed');
    expect(await problemOf(read())).toBe('none');
    expect(kernel.entries).toEqual([]);
  });

  test.each(['EBUSY', 'EAGAIN', 'EINTR', 'ETIMEDOUT'])('tries again after %s', async (code) => {
    const kernel = mount();
    kernel.faults.errors = { outblob: [code, code], mkdir: [code] };
    expect((await read()).outblob).toEqual(outblobFor(reportData));
    expect(kernel.entries).toEqual([]);
    kernel.faults.errors = { outblob: Array.from({ length: 5 }, () => code) };
    expect(await problemOf(read())).toBe('interrupted');
  });

  test.each([
    [{ mkdir: ['ENOENT'] }, 'no-interface'],
    [{ mkdir: ['ENXIO'] }, 'no-provider'],
    [{ mkdir: ['EACCES'] }, 'not-permitted'],
    [{ mkdir: ['EPERM'] }, 'not-permitted'],
    [{ mkdir: ['EROFS'] }, 'not-permitted'],
    [{ outblob: ['EFBIG'] }, 'too-large'],
    [{ outblob: ['EIO'] }, 'failed'],
    [{ outblob: ['ENXIO'] }, 'no-provider'],
    [{ inblob: ['EIO'] }, 'failed'],
    [{ auxblob: ['EIO'] }, 'failed'],
    [{ generation: ['EIO'] }, 'failed'],
    [{ provider: ['ENXIO'] }, 'no-provider'],
  ])('%j is %s, and its entry goes all the same', async (errors, problem) => {
    const kernel = mount();
    kernel.faults.errors = errors;
    expect(await problemOf(read())).toBe(problem);
    expect(kernel.entries).toEqual([]);
    expect(await problemOf(read())).toBe('none');
  });

  test('no driver, another machine than was said, a report that is too long', async () => {
    mount({ provider: null });
    expect(await problemOf(read())).toBe('no-provider');
    unmount();
    mount({ provider: 'tdx_guest' });
    expect(await problemOf(read('sev_guest'))).toBe('wrong-provider');
    unmount();
    mount({ makeReport: () => ({ outblob: new Uint8Array(65_537), auxblob: null }) });
    expect(await problemOf(read())).toBe('too-large');
    unmount();
    mount({ makeReport: () => ({ outblob: new Uint8Array(65_536), auxblob: null }) });
    expect(await problemOf(read())).toBe('none');
  });

  test('on a disk that is no configfs, nothing is there', async () => {
    await using disk = await makeTemporaryFolder('tsm');
    const missing = join(disk.path, 'report');
    const ask = () => readTsmReport({ folder: missing, provider: 'sev_guest', reportData });
    expect(await problemOf(ask())).toBe('no-interface');
    mkdirSync(missing);
    expect(await problemOf(ask())).toBe('no-interface');
    expect(existsSync(missing)).toBe(true);
    await rmdir(missing);
  });

  test('the double stands for its folder alone', async () => {
    mount();
    await using disk = await makeTemporaryFolder('tsm');
    await mkdir(join(disk.path, 'real'));
    expect(existsSync(join(disk.path, 'real'))).toBe(true);
  });
});
