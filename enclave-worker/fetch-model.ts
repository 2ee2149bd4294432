// Fetches one GGUF file and compares its digest, for a model server that has no way out: `node enclave-worker/fetch-model.ts`.
// Needs no package, so that Node's own image runs it. Done before, it says so and reads the file again.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashFile } from './engines/weights/file-digest.ts';
import { DownloadError, downloadModel } from './engines/weights/model-download.ts';

const { GGUF_URL: url = '', GGUF_SHA256: sha256 = '', MODEL_FOLDER: folder = '' } = process.env;
const fileName = /\/([A-Za-z0-9][A-Za-z0-9._-]{0,127}\.gguf)$/.exec(URL.parse(url)?.pathname ?? '')?.[1];

function stopWith(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (fileName === undefined) stopWith('GGUF_URL must be the https address of a .gguf file.');
if (!/^([0-9a-f]{64})?$/.test(sha256)) stopWith('GGUF_SHA256 must be the SHA-256 of that file, 64 hex digits.');
if (folder === '') stopWith('MODEL_FOLDER is not set: name the folder to write to.');

// One name whatever the file: the model server's command line never changes.
const file = join(folder, 'model.gguf');
const { signal } = new AbortController();
try {
  // The model server and the worker run as another user.
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const found = existsSync(file) ? await digestOf(file) : null;
  if (found === null || (sha256 !== '' && found !== sha256)) {
    // Without a digest of ours, what the server names is compared: a whole file, but nobody has said whose.
    const source = { url, fileName, sha256: sha256 === '' ? null : sha256 };
    await downloadModel({ source, file, signal, onProgress: () => {} });
  }
  chmodSync(file, 0o644);
  const digest = await digestOf(file);
  process.stdout.write(`${fileName} is here and whole. ${sha256 === '' ? `Pin it: GGUF_SHA256=${digest}` : ''}\n`);
} catch (error) {
  if (error instanceof DownloadError && error.code === 'no-digest') {
    stopWith('That server names no SHA-256 of the file, so nothing was fetched: set GGUF_SHA256.');
  }
  stopWith('The model could not be fetched, or was another than GGUF_SHA256 says.');
}

async function digestOf(path: string): Promise<string> {
  return (await hashFile(path, signal)).toString('hex');
}
