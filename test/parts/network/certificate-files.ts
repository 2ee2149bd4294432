import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeSelfSigned } from './self-signed.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';

/** A certificate for `localhost` and its key in files, as a setting names them, until the end of the test. */
export async function writeCertificate({ cert, key } = makeSelfSigned()) {
  const folder = await makeTemporaryFolder('tls');
  onTestFinished(() => folder.remove());
  const files = { certFile: join(folder.path, 'cert.pem'), keyFile: join(folder.path, 'key.pem') };
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key);
  return { cert, files };
}
