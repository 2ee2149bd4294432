// npm run registrar:audit -- URL [saved-checkpoint-file]: reads the whole public log of a registrar and checks all of it. With a file it
// also shows that nothing that was there at the last audit has changed, and keeps the new checkpoint for the next one.
// CLIENT_POLICY names the policy file whose `modal` section says which log and whose statements (default client/policy.json).
// Exit code 0: all in order. 1: the log is dishonest or damaged. 2: it could not be audited.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readClientPolicy } from '../client/build/client-policy.ts';
import type { EnclavePolicy, ModalPolicy } from '../crypto/evidence/policy/policy.ts';
import { auditLog } from './log/read-whole-log.ts';
import { DishonestLog, LogReader, UnreadableLog } from './log/log-reader.ts';
import { StartError } from '../process/start-error.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

function readPolicy(): ModalPolicy {
  let policy: EnclavePolicy;
  try {
    policy = readClientPolicy();
  } catch (error) {
    throw error instanceof Error ? new StartError(error.message) : error;
  }
  if (policy.modal === null) {
    throw new StartError("The client's policy names no registrar: set CLIENT_POLICY to one whose modal section does.");
  }
  return policy.modal;
}

function readArguments(): { readonly url: string; readonly savedFile: string | null } {
  const [url = '', savedFile = null, ...others] = process.argv.slice(2);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '') || others.length > 0) {
    throw new StartError('Usage: npm run registrar:audit -- https://registrar.example.com [saved-checkpoint-file]');
  }
  return { url, savedFile };
}

async function main(): Promise<void> {
  const { url, savedFile } = readArguments();
  const policy = readPolicy();
  const saved = savedFile !== null && existsSync(savedFile) ? readFileSync(savedFile, 'utf8') : null;
  const result = await auditLog({ reader: new LogReader(url), policy, saved, nowMs: Date.now() });
  const { size, identities, foreign, checkpoint } = result;
  say(
    `${policy.logOrigin}: ${size} statements about ${identities} enclaves; entries, tiles, root and signatures are in order.`,
  );
  if (foreign > 0) say(`${foreign} of them are about deployments that this policy does not name.`);
  if (savedFile === null) return;
  say(
    saved === null ? `First audit: ${savedFile} keeps its checkpoint.` : `Nothing of ${savedFile} has changed since.`,
  );
  // Whole or not at all: the next audit depends on it.
  writeFileSync(`${savedFile}.new`, checkpoint, { flush: true });
  renameSync(`${savedFile}.new`, savedFile);
}

try {
  await main();
} catch (error) {
  const isKnown = error instanceof StartError || error instanceof DishonestLog || error instanceof UnreadableLog;
  process.stderr.write(`${isKnown ? error.message : 'The audit failed for a reason of its own.'}\n`);
  process.exitCode = error instanceof DishonestLog ? 1 : 2;
}
