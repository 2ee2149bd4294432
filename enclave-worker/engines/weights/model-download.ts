import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashFile } from './file-digest.ts';
import { locateFile, type ModelSource, type RemoteFile } from './model-source.ts';

export type DownloadFailure =
  | 'offline'
  | 'refused'
  /** Neither pinned nor named by the server: nothing would tell the model from another file. */
  | 'no-digest'
  | 'cut'
  | 'wrong-length'
  | 'wrong-digest'
  | 'disk-full'
  | 'disk';

/** A download's failure: a code, no address and no path. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly code: DownloadFailure;

  constructor(code: DownloadFailure) {
    super(code);
    this.code = code;
  }
}

export type DownloadProgress = { readonly receivedBytes: number; readonly totalBytes: number | null };

/** Nothing that fits a laptop is larger. */
const longestFile = 64 * 1024 ** 3;
const stalledAfterMs = 60_000;

/**
 * Fetches a model to `file`. An earlier download goes on from where it was cut (`file.part`); the whole is hashed before it
 * gets its name, so a file of that name is a whole one.
 *
 * @throws {DownloadError} Whatever came stays for the next try, except when it has the wrong digest or length.
 */
export async function downloadModel(input: {
  readonly source: ModelSource;
  readonly file: string;
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { source, file, onProgress, signal } = input;
  const part = `${file}.part`;
  await onDisk(() => mkdir(dirname(file), { recursive: true, mode: 0o700 }));
  const remote = await locate(source, signal);
  if (remote.totalBytes !== null && remote.totalBytes > longestFile) throw new DownloadError('refused');
  let have = await lengthOf(part);
  if (remote.totalBytes !== null && have > remote.totalBytes) {
    await onDisk(() => rm(part, { force: true }));
    have = 0;
  }
  if (remote.totalBytes === null || have < remote.totalBytes) {
    await fetchRest({ remote, part, have, onProgress, signal });
  }
  const length = await lengthOf(part);
  if (remote.totalBytes !== null && length !== remote.totalBytes) {
    if (length > remote.totalBytes) await onDisk(() => rm(part, { force: true }));
    throw new DownloadError(length < remote.totalBytes ? 'cut' : 'wrong-length');
  }
  if ((await onDisk(() => hashFile(part, signal))).toString('hex') !== remote.sha256) {
    await onDisk(() => rm(part, { force: true }));
    throw new DownloadError('wrong-digest');
  }
  await onDisk(() => rename(part, file));
}

type DigestedFile = RemoteFile & { readonly sha256: string };

/** @throws {DownloadError} `no-digest` before a byte of the file is asked for. */
async function locate(source: ModelSource, signal: AbortSignal): Promise<DigestedFile> {
  let remote: RemoteFile | null;
  try {
    remote = await locateFile(source, signal);
  } catch {
    throw new DownloadError('offline');
  }
  if (remote === null) throw new DownloadError('refused');
  const { sha256 } = remote;
  if (sha256 === null) throw new DownloadError('no-digest');
  return { ...remote, sha256 };
}

async function fetchRest(input: {
  readonly remote: RemoteFile;
  readonly part: string;
  readonly have: number;
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { remote, part, have, onProgress, signal } = input;
  const stall = new AbortController();
  let watchdog = setTimeout(() => stall.abort(), stalledAfterMs);
  try {
    const response = await request(remote.url, have, AbortSignal.any([signal, stall.signal]));
    // A server that does not know Range sends everything again.
    const isRest = response.status === 206;
    if (response.status === 416 || (isRest && !continuesAt(response, have))) {
      await onDisk(() => rm(part, { force: true }));
      throw new DownloadError('cut');
    }
    if ((response.status !== 200 && !isRest) || response.body === null) throw new DownloadError('refused');
    const handle = await onDisk(() => open(part, isRest ? 'a' : 'w', 0o600));
    let receivedBytes = isRest ? have : 0;
    try {
      for await (const chunk of readCut(response.body)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => stall.abort(), stalledAfterMs);
        await onDisk(() => handle.write(chunk));
        receivedBytes += chunk.length;
        if (receivedBytes > (remote.totalBytes ?? longestFile)) break;
        onProgress({ receivedBytes, totalBytes: remote.totalBytes });
      }
      await onDisk(() => handle.sync());
    } finally {
      await handle.close();
    }
  } finally {
    clearTimeout(watchdog);
    stall.abort();
  }
}

async function request(url: string, have: number, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
    return await fetch(url, { headers, signal });
  } catch {
    throw new DownloadError('offline');
  }
}

function continuesAt(response: Response, offset: number): boolean {
  return response.headers.get('content-range')?.startsWith(`bytes ${offset}-`) === true;
}

async function* readCut(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch {
    throw new DownloadError('cut');
  }
}

async function lengthOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

async function onDisk<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new DownloadError(code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'disk');
  }
}
