import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listManifestIds } from '../../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import { listRevocationIds } from '../../../../crypto/evidence/nvidia-gpu/revocation-ids.ts';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { Attestation } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { CollateralItem } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DocumentCache } from '../../../../server/pools/collateral/document-cache.ts';
import { freshForMs, readAnswerDates } from '../../../../server/pools/collateral/fresh-for.ts';
import { VendorCollateral } from '../../../../server/pools/collateral/vendor-collateral.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../../../parts/evidence/hardware-attestation.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';
import { OcspResponder } from '../../../parts/evidence/vendors/ocsp-responder.ts';
import { issuedOf, makeRevocationAnswer } from '../../../parts/evidence/vendors/revocation-answers.ts';
import { VendorServices } from '../../../parts/evidence/vendors/vendor-services.ts';
import { type QuietLog, quietLog } from '../../../parts/relay/in-process/quiet-log.ts';

/*
 * The relay asks OpenSSL's responder as it would ask NVIDIA's, and the client's own verifier reads what comes of it.
 */

const amd = makeAmdMachine();
const gpus = makeNvidiaMachine({ gpus: 2 });
const nonce = randomBytes(32);
const whole = await makeHardwareAttestation({
  nonce,
  machine: (expected) => amd.makeEvidence({ expected }),
  devices: (expected) => gpus.makeEvidence({ expected }),
});
const [own, manifests] = whole.collateral ?? [];
const gpu = whole.evidence[1];
if (gpu?.kind !== 'nvidia-gpu' || manifests?.kind !== 'nvidia-gpu' || own === undefined) throw new Error('Two kinds.');
const issued = [...issuedOf(gpus, gpu), issuedOf(gpus, gpu, 1)[0]!];
const chipName = 'GH100 A01 GSP BROM';
const [manifestIds, revocationIds] = [listManifestIds(gpu.devices), listRevocationIds(gpu.devices)];
const answer: Attestation = {
  ...whole,
  collateral: [own],
  status: { state: 'ready', reason: 'chosen-by-setting', next: null },
  collateralNeeds: [{ kind: 'nvidia-gpu', manifestIds, revocationIds }],
};

let vendors: VendorServices;
let responder: OcspResponder;
let log: QuietLog;
let nowMs: number;

beforeEach(async () => {
  vendors = await new VendorServices().start();
  vendors.publishNvidia(manifestIds, manifests);
  responder = await OcspResponder.start(issued);
  log = quietLog();
  nowMs = Date.now();
});
afterEach(async () => {
  await responder[Symbol.asyncDispose]();
  await vendors[Symbol.asyncDispose]();
});

function source(changes: { nvidiaOcsp?: string; patienceMs?: number } = {}): VendorCollateral {
  const { nvidiaOcsp = responder.url, patienceMs = 60_000 } = changes;
  const urls = { amd: vendors.url, intel: vendors.url, nvidia: vendors.url, nvidiaOcsp };
  return new VendorCollateral(urls, log, { cache: new DocumentCache(() => nowMs), patienceMs });
}

type Completed = Omit<Attestation, 'collateralNeeds'>;
const answersOf = ({ collateral = [] }: Completed) =>
  collateral.find((item): item is Extract<CollateralItem, { kind: 'nvidia-gpu' }> => item.kind === 'nvidia-gpu')
    ?.revocationAnswers;

/** The level, or the code of the refusal, of a client that asks for answers. */
async function verdict(completed: Completed, requireGpuRevocation = true): Promise<string> {
  const policy = hardwarePolicy({
    measured: { sevSnp: [amd.measurement], tdx: [] },
    sevSnp: amd.policy,
    nvidiaGpu: { ...gpus.policy, requireGpuRevocation },
  });
  const found = await verifyEnclave({ attestation: completed, nonce, model: 'default', minimum: 'any', policy, nowMs });
  return found.refused ? found.code : found.level;
}

describe('the relay asks about the certificates of GPUs', () => {
  test('and a client that insists on answers takes them: one of each certificate, from OpenSSL', async () => {
    const completed = await source().complete(answer);
    expect(await verdict(completed)).toBe('hardware-gpu');
    // Two chips and the two authorities that they share.
    expect(answersOf(completed)).toHaveLength(4);
    expect(responder.asked).toBe(4);
    expect([...responder.forms]).toEqual(['POST / application/ocsp-request']);
    expect(log.codes).toEqual([]);
  });

  test.each(['keyCompromise', 'certificateHold'])(
    'and a client refuses one that OpenSSL says is revoked: %s',
    async (reason) => {
      responder.revoked.set(chipName, reason);
      const completed = await source().complete(answer);
      expect(await verdict(completed)).toBe('revoked');
      expect(await verdict(completed, false)).toBe('revoked');
      responder.revoked.clear();
      expect(await verdict(await source().complete(answer))).toBe('hardware-gpu');
    },
  );

  test('once for many clients, and again before an answer is due', async () => {
    const relay = source();
    const all = await Promise.all(Array.from({ length: 12 }, () => relay.complete(answer)));
    for (const completed of all) expect(await verdict(completed)).toBe('hardware-gpu');
    nowMs += 23 * 3_600_000;
    await relay.complete(answer);
    expect(responder.asked).toBe(4);
    nowMs += 55 * 60_000;
    await relay.complete(answer);
    expect(responder.asked).toBe(8);
  });

  test('nowhere where the operator said so, or the worker does not ask', async () => {
    for (const completed of [
      await source({ nvidiaOcsp: 'off' }).complete(answer),
      await source().complete({ ...answer, collateralNeeds: [{ kind: 'nvidia-gpu', manifestIds }] }),
    ]) {
      expect(answersOf(completed)).toBeUndefined();
      expect(await verdict(completed)).toBe('collateral-missing');
      expect(await verdict(completed, false)).toBe('hardware-gpu');
    }
    expect(responder.asked).toBe(0);
    expect(log.codes).toEqual([]);
  });

  test.each([
    ['that it may not ask', { status: 200, body: Buffer.from('30030a0106', 'hex') }],
    ['that it is busy', { status: 200, body: Buffer.from('30030a0103', 'hex') }],
    ['with a failure', { status: 500, body: Buffer.from('no') }],
    ['with a page', { status: 200, body: Buffer.from('<p>Back soon.</p>'.repeat(20)) }],
    ['with more than an answer', { status: 200, body: new Uint8Array(9000).fill(0x30) }],
    ['with nothing', { status: 200, body: new Uint8Array() }],
  ])('and goes on without, with one line, where it is told %s', async (_what, instead) => {
    responder.instead = instead;
    const relay = source();
    const completed = await relay.complete(answer);
    expect(answersOf(completed)).toBeUndefined();
    expect(await verdict(completed, false)).toBe('hardware-gpu');
    expect(await verdict(completed)).toBe('collateral-missing');
    expect(log.codes).toEqual(['revocation-missing']);
    // Not asked again at once, and then it is there.
    responder.instead = null;
    await relay.complete(answer);
    expect(responder.asked).toBe(4);
    nowMs += 11 * 60_000;
    expect(await verdict(await relay.complete(answer))).toBe('hardware-gpu');
  });

  test('and a responder that is silent costs a client no manifests; what comes late is there for the next', async () => {
    let release: (value: unknown) => void = () => {};
    responder.held = new Promise((resolve) => (release = resolve));
    const relay = source({ patienceMs: 6_000 });
    const completed = await relay.complete(answer);
    expect(await verdict(completed, false)).toBe('hardware-gpu');
    expect(answersOf(completed)).toBeUndefined();
    release(null);
    await expect.poll(async () => verdict(await relay.complete(answer)), { timeout: 60_000 }).toBe('hardware-gpu');
    expect(responder.asked).toBe(4);
  });
});

test('readAnswerDates: of an answer of anybody, null for anything else', () => {
  const [chip] = issued;
  const nextUpdate = testNowMs + 3_600_000;
  for (const request of [{ nextUpdate }, { nextUpdate, by: 'name' as const }, { nextUpdate, delegate: null }]) {
    const bytes = makeRevocationAnswer(chip!, request);
    expect(readAnswerDates(bytes)).toEqual({ outcome: 0, nextUpdateMs: nextUpdate });
    for (let length = 0; length < bytes.length; length += 7) {
      expect(readAnswerDates(bytes.subarray(0, length))).toBeNull();
    }
  }
  expect(readAnswerDates(makeRevocationAnswer(chip!, { nextUpdate: null }))).toEqual({
    outcome: 0,
    nextUpdateMs: null,
  });
  expect(readAnswerDates(Buffer.from('30030a0106', 'hex'))).toEqual({ outcome: 6, nextUpdateMs: null });
  expect(readAnswerDates(new Uint8Array(100).fill(0x30))).toBeNull();
  expect(freshForMs(nextUpdate, testNowMs)).toBe(50 * 60_000);
});
