import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DownloadError,
  downloadModel,
  type DownloadProgress,
} from '../../../../enclave-worker/engines/weights/model-download.ts';
import type { ModelSource } from '../../../../enclave-worker/engines/weights/model-source.ts';
import { findFreePort } from '../../../parts/network/free-port.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { type ModelServer, startModelServer } from '../../../parts/worker/upstream/model-server.ts';

const content = randomBytes(300_000);
let folder: TemporaryFolder;
let server: ModelServer;
let file: string;
let progress: DownloadProgress[];
beforeEach(async () => {
  folder = await makeTemporaryFolder('download');
  server = await startModelServer(content);
  file = join(folder.path, 'models', 'Tiny-Q4.gguf');
  progress = [];
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder.remove();
});

async function download(source: ModelSource = server.source, signal = new AbortController().signal): Promise<string> {
  try {
    await downloadModel({ source, file, onProgress: (step) => progress.push(step), signal });
    return 'done';
  } catch (error) {
    if (error instanceof DownloadError) return error.code;
    throw error;
  }
}

const filesThere = () => readdir(join(folder.path, 'models'));

describe('downloadModel', () => {
  test('fetches, shows progress, and leaves a whole file of that name and nothing else', async () => {
    expect(await download()).toBe('done');
    expect(await readFile(file)).toEqual(content);
    expect(await filesThere()).toEqual(['Tiny-Q4.gguf']);
    expect(progress.at(-1)).toEqual({ receivedBytes: content.length, totalBytes: content.length });
    const received = progress.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  test('follows a redirect, with the digest that the first answer names, and asks a signed address only for the file', async () => {
    server.answerWith({ redirects: true });
    expect(await download()).toBe('done');
    expect(await readFile(file)).toEqual(content);
    server.answerWith({ redirects: true, digest: createHash('sha256').update('other').digest('hex') });
    expect(await download()).toBe('wrong-digest');
  });

  test('goes on where it was cut', async () => {
    server.answerWith({ cutAfter: 100_000 });
    expect(await download()).toBe('cut');
    expect(await filesThere()).toEqual(['Tiny-Q4.gguf.part']);
    expect(await download()).toBe('cut');
    server.answerWith({});
    expect(await download()).toBe('done');
    expect(server.downloads).toEqual(['GET', 'GET bytes=100000-', 'GET bytes=200000-']);
    expect(await readFile(file)).toEqual(content);
  });

  test('begins again with a server that does not know ranges', async () => {
    server.answerWith({ cutAfter: 100_000 });
    await download();
    server.answerWith({ ignoresRange: true });
    expect(await download()).toBe('done');
    expect(await readFile(file)).toEqual(content);
  });

  test('hashes the whole, also what came before a cut: a changed beginning is found and thrown away', async () => {
    server.answerWith({ cutAfter: 100_000 });
    await download();
    const part = await readFile(`${file}.part`);
    part[5]! ^= 1;
    await writeFile(`${file}.part`, part);
    server.answerWith({});
    expect(await download()).toBe('wrong-digest');
    expect(await filesThere()).toEqual([]);
    expect(await download()).toBe('done');
  });

  test('holds a pinned digest above what the server says', async () => {
    const sha256 = createHash('sha256').update('another file').digest('hex');
    expect(await download({ ...server.source, sha256 })).toBe('wrong-digest');
    const right = createHash('sha256').update(content).digest('hex');
    server.answerWith({ digest: sha256 });
    expect(await download({ ...server.source, sha256: right })).toBe('done');
  });

  test('fetches nothing without a digest, pinned or named by the server', async () => {
    server.answerWith({ digest: null });
    expect(await download()).toBe('no-digest');
    server.answerWith({ digest: null, redirects: true });
    expect(await download()).not.toBe('done');
    expect(server.downloads).toEqual([]);
    expect(await filesThere()).toEqual([]);
    // Either one is enough.
    server.answerWith({ digest: null });
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(await download({ ...server.source, sha256 })).toBe('done');
    await rm(file);
    server.answerWith({});
    expect(await download()).toBe('done');
  });

  test('takes a file that is whole already without fetching it again', async () => {
    await mkdir(join(folder.path, 'models'));
    await writeFile(`${file}.part`, content);
    expect(await download()).toBe('done');
    expect(server.downloads).toEqual([]);
  });

  test('throws a longer file away and begins again', async () => {
    await mkdir(join(folder.path, 'models'));
    await writeFile(`${file}.part`, Buffer.concat([content, content]));
    expect(await download()).toBe('done');
    expect(await readFile(file)).toEqual(content);
  });

  test('calls a shorter file cut, and keeps it', async () => {
    server.answerWith({ length: content.length + 10 });
    expect(await download()).toBe('cut');
    expect(await filesThere()).toEqual(['Tiny-Q4.gguf.part']);
  });

  test.each([
    [404, 'refused'],
    [500, 'refused'],
    [204, 'refused'],
  ])('HTTP %i is %s', async (status, code) => {
    server.answerWith({ status });
    expect(await download()).toBe(code);
    server.answerWith({});
    expect(await download()).toBe('done');
  });

  test('no server is "offline"', async () => {
    const url = `http://127.0.0.1:${await findFreePort()}/x.gguf`;
    expect(await download({ ...server.source, url })).toBe('offline');
  });

  test('weights come over TLS only, except from this machine', async () => {
    expect(await download({ ...server.source, url: 'http://models.example/x.gguf' })).toBe('refused');
  });

  test('a stop ends it, and what came stays', async () => {
    const abort = new AbortController();
    server.answerWith({ cutAfter: 150_000 });
    const running = downloadModel({
      source: server.source,
      file,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(running).rejects.toBeInstanceOf(DownloadError);
    expect(await filesThere()).toEqual(['Tiny-Q4.gguf.part']);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a folder that cannot be written is told from a server that fails',
    async () => {
      await chmod(folder.path, 0o500);
      expect(await download()).toBe('disk');
      await chmod(folder.path, 0o700);
    },
  );

  test.skipIf(!existsSync('/dev/full'))('a full disk is told from a server that fails', async () => {
    await mkdir(join(folder.path, 'models'));
    await symlink('/dev/full', `${file}.part`);
    expect(await download()).toBe('disk-full');
    await rm(`${file}.part`);
    expect(await download()).toBe('done');
  });

  test('a path that is no folder is told from a server that fails', async () => {
    await writeFile(join(folder.path, 'models'), 'a file');
    expect(await download()).toBe('disk');
  });
});
