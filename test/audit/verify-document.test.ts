import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recheckDocument } from '../../audit/document/recheck-document.ts';
import { createDevelopmentEvidence } from '../../crypto/evidence/development.ts';
import { generateIdentityKeyPair } from '../../crypto/evidence/key-statement.ts';
import {
  encodeVerificationDocument,
  makeVerificationDocument,
  parseVerificationDocument,
} from '../../crypto/evidence/verification-document.ts';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import type { ProtectionLevel } from '../../crypto/protocol/protection-level.ts';
import { encodeCanonicalJson } from '../../crypto/protocol/json/canonical-json.ts';
import { CryptoError } from '../../crypto/protocol/bytes/errors.ts';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { makeAmdMachine } from '../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../parts/evidence/vendors/certificate-maker.ts';
import {
  type HardwareAttestation,
  hardwarePolicy,
  makeHardwareAttestation,
} from '../parts/evidence/hardware-attestation.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

const chip = makeAmdMachine();
const policy = hardwarePolicy({
  measured: { sevSnp: [chip.measurement], tdx: [] },
  sevSnp: chip.policy,
  allowedKinds: ['sev-snp'],
});
let folder: TemporaryFolder;
let text: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder('verify-document');
  text = await documentOf('hardware');
});
afterAll(() => folder.remove());

async function documentOf(minimum: ProtectionLevel, atMs = testNowMs): Promise<string> {
  const nonce = randomBytes(32);
  const answer = await makeHardwareAttestation({
    nonce,
    machine: (expected) => chip.makeEvidence({ expected }),
    statement: { issuedAtMs: atMs },
    binding: { notAfterMs: atMs + 3_600_000 },
  });
  const question = { nonce, model: 'default', minimum, policy, nowMs: atMs };
  const verdict = await verifyEnclave({ ...question, attestation: answer });
  return encodeVerificationDocument(makeVerificationDocument(question, [{ attestation: answer, verdict }]));
}

const mixedPolicy = { ...policy, allowedKinds: ['sev-snp', 'development'] as const, minimum: 'any' as const };

/** Genuine hardware, and beside it an enclave that nothing vouches for. */
async function makeMixedDocument(
  collateralOf: (genuine: HardwareAttestation) => HardwareAttestation['collateral'] = () => [],
) {
  const nonce = randomBytes(32);
  const identity = generateIdentityKeyPair();
  const [genuine, other] = await Promise.all([
    makeHardwareAttestation({ nonce, machine: (expected) => chip.makeEvidence({ expected }) }),
    makeHardwareAttestation({ nonce, identity, machine: (expected) => chip.makeEvidence({ expected }) }),
  ]);
  const question = { nonce, model: 'default', minimum: 'any' as const, policy: mixedPolicy, nowMs: testNowMs };
  const evidence = [createDevelopmentEvidence(identity.publicKey)];
  const lesser: HardwareAttestation = { ...other, collateral: collateralOf(genuine) ?? [], evidence };
  const enclaves = [];
  for (const attestation of [genuine, lesser]) {
    enclaves.push({ attestation, verdict: await verifyEnclave({ ...question, attestation }) });
  }
  return parseVerificationDocument(encodeVerificationDocument(makeVerificationDocument(question, enclaves)));
}

let files = 0;
function fileWith(contents: string): string {
  files += 1;
  const path = join(folder.path, `file-${files}.json`);
  writeFileSync(path, contents);
  return path;
}

/** The very command that a person types. */
function runVerify(...given: string[]) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'verify', '--', ...given], {
    cwd: resolve(import.meta.dirname, '../..'),
    encoding: 'utf8',
  });
  return { status, output: `${stdout}${stderr}` };
}

describe('npm run verify', () => {
  test('prints every step of a document that holds, and ends with 0', () => {
    const { status, output } = runVerify(fileWith(text), '--policy', fileWith(JSON.stringify(policy)));
    expect(output).toContain('the same as in the document');
    for (const step of ['[x] Policy', '[x] Signature', '[x] Measurement: Release 1.0.0-test', '[ ] GPU']) {
      expect(output).toContain(step);
    }
    expect(output).toContain('which only the document says: what ran out or was revoked since does not show');
    expect(output).toContain('It holds.');
    expect(status).toBe(0);
  });

  test('says how old it is, and takes none of tomorrow', async () => {
    const path = fileWith(JSON.stringify(policy));
    const past = runVerify(fileWith(await documentOf('hardware', testNowMs - 3 * 86_400_000)), '--policy', path);
    expect(past.output).toContain(', 3 days ago, ');
    expect(past.status).toBe(0);
    const future = runVerify(fileWith(await documentOf('hardware', testNowMs + 86_400_000)), '--policy', path);
    expect(future.output).toContain('That time has not come yet.');
    expect(future.output).toContain('It does NOT hold.');
    expect(future.status).toBe(1);
  });

  test('judges by the policy of the checkout, whatever the document brings', () => {
    const { status, output } = runVerify(fileWith(text));
    expect(output).toContain('DIFFERS');
    expect(output).toContain('Refused: kind-not-allowed');
    expect(output).toContain('It does NOT hold.');
    expect(status).toBe(1);
  });

  test('a document of a refusal does not hold', async () => {
    const refused = await documentOf('hardware-gpu');
    const { status, output } = runVerify(fileWith(refused), '--policy', fileWith(JSON.stringify(policy)));
    expect(output).toContain('The document itself records a refusal.');
    expect(status).toBe(1);
  });

  test('refuses a changed byte, other files, and a command that makes no sense', () => {
    const policyPath = fileWith(JSON.stringify(policy));
    const place = text.indexOf('"signature":"') + 20;
    const changed = `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`;
    expect(runVerify(fileWith(changed), '--policy', policyPath)).toMatchObject({ status: 1 });
    const other = runVerify(fileWith('{}'), '--policy', policyPath);
    expect(other.output).toContain('not a whole, unchanged verification document');
    expect(other.status).toBe(1);
    const absent = runVerify(join(folder.path, 'nowhere.json'));
    expect(absent.output).toContain('There is no such file');
    expect(absent.status).toBe(1);
    expect(runVerify()).toMatchObject({ status: 2 });
    expect(runVerify(fileWith(text), '--policy')).toMatchObject({ status: 2 });
    expect(runVerify(fileWith(text), '--policy', fileWith('{}'))).toMatchObject({ status: 1 });
  });
});

describe('parseVerificationDocument', () => {
  test('refuses every changed, cut or added byte, and takes the whole', () => {
    expect(encodeVerificationDocument(parseVerificationDocument(text))).toBe(text);
    const places = Array.from({ length: 400 }, (_, index) => Math.floor((index * text.length) / 400));
    for (const place of places) {
      const other = text[place] === '5' ? '6' : '5';
      const changed = `${text.slice(0, place)}${other}${text.slice(place + 1)}`;
      expect(() => parseVerificationDocument(changed)).toThrow(CryptoError);
    }
    for (const changed of [text.slice(0, -1), `${text} `, ` ${text}`, `${text}{}`]) {
      expect(() => parseVerificationDocument(changed)).toThrow(CryptoError);
    }
  });
});

test('a document keeps no collateral that nothing of its evidence asks for', async () => {
  const document = await makeMixedDocument((genuine) => genuine.collateral);
  const [genuine, lesser] = document.enclaves.map(({ answer }) => answer.collateral);
  expect(genuine?.map(({ kind }) => kind)).toEqual(['sev-snp']);
  expect(lesser).toBeUndefined();
});

describe('recheckDocument', () => {
  /** Anybody who can count a digest could write this. */
  async function forged(change: (document: ReturnType<typeof parseVerificationDocument>) => object) {
    const { digest: _digest, ...rest } = {
      ...parseVerificationDocument(text),
      ...change(parseVerificationDocument(text)),
    };
    const { labelled, sha256 } = await import('../../crypto/protocol/bytes/hash.ts');
    const { toBase64Url } = await import('../../crypto/protocol/bytes/bytes.ts');
    const digest = toBase64Url(sha256(labelled('sotto/v1/verification', encodeCanonicalJson(rest))));
    return parseVerificationDocument(new TextDecoder().decode(encodeCanonicalJson({ ...rest, digest })));
  }

  test('the genuine one holds; one that claims more than its evidence shows does not, whatever its digest says', async () => {
    expect((await recheckDocument(parseVerificationDocument(text), policy)).holds).toBe(true);
    const [enclave] = parseVerificationDocument(text).enclaves;
    if (enclave === undefined || enclave.result.refused) throw new Error('refused');
    const { result } = enclave;
    for (const change of [
      () => ({ enclaves: [{ ...enclave, result: { ...result, level: 'hardware-gpu' } }] }),
      () => ({ enclaves: [{ ...enclave, result: { ...result, release: '2.0.0' } }] }),
      () => ({ enclaves: [{ ...enclave, result: { ...result, measurement: '00'.repeat(48) } }] }),
      () => ({ enclaves: [{ ...enclave, result: { ...result, steps: result.steps.slice(1) } }] }),
      () => ({ evidenceDigest: 'A'.repeat(43) }),
      () => ({ nonce: 'A'.repeat(43) }),
      () => ({ verifiedAtMs: testNowMs + 100 * 365 * 86_400_000 }),
      () => ({ model: 'model-b' }),
    ]) {
      expect((await recheckDocument(await forged(change), policy)).holds).toBe(false);
    }
    // Two enclaves to whom no client would have sealed one request.
    const lesser = await makeMixedDocument();
    expect((await recheckDocument(lesser, mixedPolicy)).enclaves.map(({ verdict }) => verdict.refused)).toEqual([
      false,
      false,
    ]);
    expect((await recheckDocument(lesser, mixedPolicy)).holds).toBe(false);
    // A policy of its own is no measure: the reader's is.
    const generous = await forged(() => ({ policy: { ...policy, minimum: 'any' } }));
    expect(await recheckDocument(generous, policy)).toMatchObject({ isSamePolicy: false, holds: true });
    expect((await recheckDocument(generous, { ...policy, releases: [] })).holds).toBe(false);
  });
});
