import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../crypto/evidence/key-statement.ts';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import { enclaveChoice } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { ModalEvidence } from '../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { HardwareWorker } from '../parts/evidence/hardware-worker.ts';
import { modalPolicy } from '../parts/evidence/modal/modal-machine.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';
import { findFreePort } from '../parts/network/free-port.ts';
import { cryptoReady, signUp } from '../parts/users/with-keys/node-account.ts';
import { NodeRelay, type RelayAnswer } from '../parts/users/with-keys/node-relay.ts';
import { waitFor } from '../parts/relay/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

/* Registrar, worker and relay as they are deployed, each a process, and a client that asks through the relay. */

let registrar: TestRegistrar;
let identityToken: string;
let worker: HardwareWorker;
let relay: NodeRelay;
let relayProcess: ChildProcess;
let relayPrinted = '';
let folder: TemporaryFolder;
const answers: Buffer[] = [];

beforeAll(async () => {
  await cryptoReady();
  folder = await makeTemporaryFolder('whole-system');
  registrar = await TestRegistrar.start();
  identityToken = registrar.issuer.makeToken();
  worker = await HardwareWorker.start(null, {
    EVIDENCE: 'modal',
    REGISTRAR_URL: registrar.url,
    MODAL_IDENTITY_TOKEN: identityToken,
  });
  const port = await findFreePort();
  relayProcess = spawn(process.execPath, ['server/main.ts'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      DATA_DIR: folder.path,
      ENCLAVE_POOL: 'static',
      ENCLAVE_URLS: worker.url,
      ENCLAVE_TOKEN: worker.token,
      LOG_LEVEL: 'debug',
    },
  });
  for (const stream of [relayProcess.stdout, relayProcess.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (relayPrinted += text));
  }
  relay = new NodeRelay(`http://127.0.0.1:${port}`);
  const isUp = () =>
    relay.call('GET', '/livez').then(
      ({ status }) => status === 200,
      () => false,
    );
  await waitFor(isUp, 120_000, () => `the relay did not start:\n${relayPrinted}`);
  await signUp(relay, 'alice', 'a password');
});

afterAll(async () => {
  relay?.close();
  if (relayProcess?.exitCode === null) {
    relayProcess.kill('SIGKILL');
    await once(relayProcess, 'exit');
  }
  await worker?.[Symbol.asyncDispose]();
  await registrar?.stop();
  await folder?.remove();
});

/** Asks as a browser does at the opening of a conversation. */
async function ask() {
  const nonce = randomBytes(32);
  const request = { format: 1, nonce: toBase64Url(nonce), model: 'default' };
  let answer: RelayAnswer | null = null;
  const isReady = async () => {
    answer = await relay.call('POST', '/v1/enclaves', request);
    return answer.status === 200;
  };
  await waitFor(isReady, 120_000, () => `no enclave: ${answer?.bytes.toString('utf8') ?? ''}\n${worker.printed}`);
  const { bytes, json } = answer as unknown as RelayAnswer;
  answers.push(bytes);
  const offered = v.parse(enclaveChoice, json);
  const [evidence] = offered.evidence;
  if (evidence?.kind !== 'modal') throw new Error('Evidence of another kind.');
  return { offered, nonce, evidence };
}

type Asked = Awaited<ReturnType<typeof ask>>;

async function judge({ offered, nonce }: Asked, changes: Partial<ModalEvidence> = {}, nowMs = Date.now()) {
  const [evidence] = offered.evidence;
  const answer = { ...offered, evidence: [{ ...(evidence as ModalEvidence), ...changes }] };
  const policy = modalPolicy(registrar.policySection);
  const verdict = await verifyEnclave({
    attestation: answer,
    nonce,
    model: 'default',
    minimum: 'stated',
    policy,
    nowMs,
  });
  return verdict.refused ? verdict.code : verdict.level;
}

describe('registrar, worker, relay, client', () => {
  test('the client believes what came through the relay', async () => {
    expect(await judge(await ask())).toBe('stated');
  });

  test('a relay that keeps a part of an older answer, or of another enclave, is refused', async () => {
    const mine = await ask();
    const other = await registrar.register(generateIdentityKeyPair());
    const { statement, signature, checkpoint, leafIndex, inclusionProof } = other.body.evidence;
    expect(await judge(mine, { statement, signature, checkpoint, leafIndex, inclusionProof })).toBe(
      'identity-mismatch',
    );
    expect(await judge(mine, { statement })).toBe('signature');
    expect(await judge(mine, { signature })).toBe('signature');
    expect(await judge(mine, { checkpoint })).toBe('log');
    expect(await judge(mine, { leafIndex })).toBe('log');
    expect(await judge(mine, { identityPublicKey: other.body.evidence.identityPublicKey })).toBe('signature');
    expect(await judge({ ...mine, nonce: randomBytes(32) })).toBe('nonce');
    expect(await judge(mine, {}, Date.now() + 2 * 3_600_000)).toBe('too-old');
    expect(await judge(mine)).toBe('stated');
  });

  test('the identity token is nowhere at the relay, in its answers, or at the registrar', async () => {
    const { evidence } = await ask();
    const filesOf = (path: string) =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    const stored = [...filesOf(folder.path), ...filesOf(registrar.dataFolder)];
    const printed = [relayPrinted, worker.printed, registrar.printed].map((text) => Buffer.from(text));
    const everything = Buffer.concat([...stored, ...printed, ...answers]);
    // Proves that the search reaches answers, the relay's data and the registrar's.
    expect(everything.includes(evidence.statement)).toBe(true);
    expect(filesOf(folder.path).length).toBeGreaterThan(0);
    expect(everything.includes(Buffer.from(evidence.statement, 'base64url'))).toBe(true);
    for (const part of identityToken.split('.').slice(1)) {
      expect(part.length).toBeGreaterThan(100);
      expect(everything.includes(part)).toBe(false);
      expect(everything.includes(Buffer.from(part, 'base64url'))).toBe(false);
    }
  });
});
