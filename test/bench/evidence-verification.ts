import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { verifyEnclave, type EnclaveQuestion } from '../../crypto/evidence/verify-enclave.ts';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { projectRoot } from '../layers/source-files.ts';
import { startBrowser } from '../parts/browser/browser.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import { makeAmdMachine } from '../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../parts/evidence/hardware-attestation.ts';
import { makeIntelMachine } from '../parts/evidence/intel/intel-machine.ts';
import { makeModalAttestation, ModalMachine, modalPolicy } from '../parts/evidence/modal/modal-machine.ts';
import { makeNvidiaMachine } from '../parts/evidence/nvidia/nvidia-machine.ts';
import { type Figure, percentile } from './figure.ts';

const rounds = 20;
const nonce = randomBytes(32);

/** Times each question in a Worker of Chromium, as the client verifies; the first round of each loads its verifier. */
const workerSource = `
import { verifyEnclave } from '${join(projectRoot, 'crypto/evidence/verify-enclave.ts')}';
onmessage = async ({ data: { question, rounds } }) => {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    const verdict = await verifyEnclave({ ...question, nonce: Uint8Array.from(question.nonce) });
    times.push(performance.now() - startedAt);
    if (verdict.refused) throw new Error(verdict.code);
  }
  postMessage(times);
};`;

type Asked = Pick<EnclaveQuestion, 'attestation' | 'policy'>;

/** How long the browser takes to verify each kind of evidence, whole: key statement, evidence, chains, collateral. */
export async function benchEvidenceVerification(): Promise<Figure[]> {
  const questions = await makeQuestions();
  await using page = await openWorkerPage();
  const figures: Figure[] = [];
  for (const [kind, { attestation, policy }] of questions) {
    const question = { attestation, policy, nonce, model: 'default', minimum: 'any', nowMs: testNowMs } as const;
    const verdict = await verifyEnclave(question);
    if (verdict.refused) throw new Error(`${kind}: ${verdict.code}`);
    const times = await page.time({ ...question, nonce: [...nonce] });
    const [first = Number.NaN, ...others] = times;
    const note = `Chromium's Worker, ${others.length} rounds; the first, with its verifier loaded: ${first.toFixed(0)} ms; aim 150`;
    figures.push({ measure: `verify ${kind} p50`, value: percentile(others, 0.5), unit: 'ms', note });
  }
  return figures;
}

async function makeQuestions(): Promise<[string, Asked][]> {
  const amd = makeAmdMachine();
  const intel = makeIntelMachine();
  const gpus = (count: number) => makeNvidiaMachine({ gpus: count });
  const ofAmd = { measured: { sevSnp: [amd.measurement], tdx: [] }, sevSnp: amd.policy };
  const amdMachine = (expected: Uint8Array) => amd.makeEvidence({ expected: Uint8Array.from(expected) });
  const withGpus = async (count: number): Promise<[string, Asked]> => {
    const machine = gpus(count);
    const devices = (expected: Uint8Array) => machine.makeEvidence({ expected });
    const policy = hardwarePolicy({ ...ofAmd, nvidiaGpu: machine.policy });
    return [
      `sev-snp + ${count} GPU`,
      { attestation: await makeHardwareAttestation({ nonce, machine: amdMachine, devices }), policy },
    ];
  };
  const modal = new ModalMachine();
  const modalAnswer = await makeModalAttestation({
    nonce,
    evidence: (identityPublicKey) => [modal.makeEvidence({ identityPublicKey })],
  });
  const plain = await makeHardwareAttestation({ nonce, machine: amdMachine });
  const identity = plain.evidence[0];
  if (identity === undefined || identity.kind === 'nvidia-gpu') throw new Error('no identity');
  const { identityPublicKey } = identity;
  return [
    [
      'development',
      { attestation: { ...plain, evidence: [{ kind: 'development', identityPublicKey }] }, policy: developmentPolicy },
    ],
    ['modal', { attestation: modalAnswer, policy: modalPolicy(modal.policy) }],
    ['sev-snp', { attestation: plain, policy: hardwarePolicy(ofAmd) }],
    [
      'tdx',
      {
        attestation: await makeHardwareAttestation({ nonce, machine: (expected) => intel.makeEvidence({ expected }) }),
        policy: hardwarePolicy({
          measured: { sevSnp: [], tdx: [intel.tdxRelease] },
          tdx: { roots: [intel.rootDigest], tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 18 },
        }),
      },
    ],
    await withGpus(1),
    await withGpus(8),
  ];
}

async function openWorkerPage() {
  const build = await rolldown({
    input: 'worker',
    platform: 'browser',
    plugins: [
      {
        name: 'worker',
        resolveId: (id) => (id === 'worker' ? id : null),
        load: (id) => (id === 'worker' ? workerSource : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', entryFileNames: 'worker.js' });
  await build.close();
  const scripts = new Map(output.flatMap((each) => (each.type === 'chunk' ? [[`/${each.fileName}`, each.code]] : [])));
  const server = createServer((request, response) => {
    const script = scripts.get(request.url ?? '');
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? '<!doctype html><title>Sotto</title>');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const browser = await startBrowser();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    time: (question: unknown): Promise<number[]> =>
      page.evaluate(`new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(${JSON.stringify({ question, rounds: rounds + 1 })});
      })`),
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.close();
    },
  };
}
