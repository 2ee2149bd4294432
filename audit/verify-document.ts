import { readFileSync } from 'node:fs';
import type { VerificationDocument } from '../crypto/evidence/document-formats.ts';
import { parseVerificationDocument } from '../crypto/evidence/verification-document.ts';
import { writeProtection } from '../crypto/protocol/contents/protection-sentence.ts';
import { recheckDocument, refusedSentence } from './document/recheck-document.ts';
import { wordsOf } from './document/step-words.ts';
import type { EnclavePolicy } from '../crypto/evidence/policy/policy.ts';
import type { EnclaveVerdict } from '../crypto/evidence/verify-enclave.ts';
import { decodeUtf8 } from '../crypto/protocol/bytes/bytes.ts';
import { readClientPolicy } from '../client/build/client-policy.ts';

/*
 * `npm run verify -- document.json [--policy file]`: makes the checks of a verification document again, by this checkout's
 * verifiers, without a network, at the document's own time. Exit code 0 only if all of it holds.
 */
const signs = { enforced: '[x]', failed: '[!]', 'not-offered': '[ ]' } as const;
const usage = 'Usage: npm run verify -- document.json [--policy policy.json]';

type Arguments = { readonly path: string; readonly policyPath: string | undefined };

function readArguments(given: readonly string[]): Arguments | null {
  const [path, option, policyPath, ...others] = given;
  if (path === undefined || path.startsWith('--') || others.length > 0) return null;
  if (option === undefined) return { path, policyPath: undefined };
  return option === '--policy' && policyPath !== undefined ? { path, policyPath } : null;
}

/** @returns the document, or why there is none. */
function readDocument(path: string): VerificationDocument | string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    return 'There is no such file, or it cannot be read.';
  }
  try {
    // An editor may have put a line end behind it; every other byte counts, so none is replaced in reading.
    return parseVerificationDocument(decodeUtf8(bytes).replace(/\r?\n$/, ''));
  } catch {
    return 'This is not a whole, unchanged verification document of a version that this checkout reads.';
  }
}

const dayMs = 86_400_000;
/** A clock may be ahead of this one by so much. */
const clockSkewMs = 300_000;

/**
 * Says by which time dates are judged: it is the document's own word, and certificates may have run out or been revoked since.
 *
 * @returns whether that time has come.
 */
function sayTime(verifiedAtMs: number): boolean {
  const agoMs = Date.now() - verifiedAtMs;
  const ago = agoMs < dayMs ? 'less than a day ago' : `${Math.floor(agoMs / dayMs)} days ago`;
  const isPast = agoMs >= -clockSkewMs;
  console.log(
    isPast
      ? `All dates are judged by that time, ${ago}, which only the document says: what ran out or was revoked since does not show.`
      : 'That time has not come yet.',
  );
  return isPast;
}

function sentenceOf(verdict: EnclaveVerdict): string {
  if (verdict.refused) return refusedSentence;
  const { kind, level, release } = verdict;
  return writeProtection({ kind, level, release: release?.version ?? null });
}

/** @returns whether it holds. */
async function verify(document: VerificationDocument, policy: EnclavePolicy): Promise<boolean> {
  const { verifiedAtMs, model, minimum, enclaves: recorded } = document;
  console.log(
    `Verified by the client: ${new Date(verifiedAtMs).toISOString()}, model asked: ${model}, minimum: ${minimum}`,
  );
  const isPast = sayTime(verifiedAtMs);
  const recheck = await recheckDocument(document, policy);
  console.log(
    recheck.isSamePolicy
      ? 'Policy: the one of this checkout, the same as in the document.'
      : 'Policy: the one of this checkout, which DIFFERS from the one in the document.',
  );
  for (const [index, { verdict, differences }] of recheck.enclaves.entries()) {
    console.log(`\nEnclave ${index + 1} of ${recheck.enclaves.length}: ${sentenceOf(verdict)}`);
    for (const { name, result, detail } of verdict.steps.map(wordsOf)) {
      console.log(`  ${signs[result]} ${name}: ${detail}`);
    }
    if (verdict.refused) console.log(`  Refused: ${verdict.code}`);
    if (recorded[index]?.result.refused === true) console.log('  The document itself records a refusal.');
    if (differences.length > 0) console.log(`  Other than in the document: ${differences.join(', ')}`);
  }
  if (!recheck.isSameDigest) console.log('\nThe digest of the evidence is not the one in the document.');
  const holds = recheck.holds && isPast;
  console.log(holds ? '\nIt holds.' : '\nIt does NOT hold.');
  return holds;
}

const given = readArguments(process.argv.slice(2));
if (given === null) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const document = readDocument(given.path);
  if (typeof document === 'string') {
    console.error(document);
    process.exitCode = 1;
  } else {
    try {
      process.exitCode = (await verify(document, readClientPolicy(given.policyPath))) ? 0 : 1;
    } catch (error) {
      console.error(error instanceof Error ? error.message : 'The document could not be verified.');
      process.exitCode = 1;
    }
  }
}
