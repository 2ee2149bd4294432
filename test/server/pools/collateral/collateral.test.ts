import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listManifestIds } from '../../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { readSevSnpNeed } from '../../../../crypto/evidence/sev-snp/report.ts';
import { readTdxCollateralNeed } from '../../../../crypto/evidence/tdx/collateral-need.ts';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { Attestation } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { CollateralItem, CollateralNeed } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url, randomBytes, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DocumentCache } from '../../../../server/pools/collateral/document-cache.ts';
import { VendorCollateral } from '../../../../server/pools/collateral/vendor-collateral.ts';
import { type AmdMachine, makeAmdMachine, type Product } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../../../parts/evidence/hardware-attestation.ts';
import { makeIntelMachine, makeIntelVendor } from '../../../parts/evidence/intel/intel-machine.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';
import { VendorServices } from '../../../parts/evidence/vendors/vendor-services.ts';
import { type QuietLog, quietLog } from '../../../parts/relay/in-process/quiet-log.ts';

/*
 * The relay fetches what a client needs; whether it is the right thing is for the real verifiers to say.
 */

let vendors: VendorServices;
let log: QuietLog;
let nowMs: number;

beforeEach(async () => {
  vendors = await new VendorServices().start();
  log = quietLog();
  nowMs = testNowMs;
});
afterEach(() => vendors[Symbol.asyncDispose]());

const source = (patienceMs = 20_000) => {
  const urls = { amd: vendors.url, intel: vendors.url, nvidia: vendors.url, nvidiaOcsp: 'off' };
  return new VendorCollateral(urls, log, { cache: new DocumentCache(() => nowMs), patienceMs });
};

const status = { state: 'ready', reason: 'chosen-by-setting', next: null } as const;
type Bare = { readonly answer: Attestation; readonly collateral: readonly CollateralItem[] };

/** An answer as a worker gives it, that leaves the fetching to the relay. */
function bare(whole: Omit<Attestation, 'status'>, needs: CollateralNeed[]): Bare {
  const { collateral = [], ...rest } = whole;
  return { answer: { ...rest, status, collateralNeeds: needs }, collateral };
}

const verdictOn = async (answer: Omit<Attestation, 'collateralNeeds'>, nonce: Uint8Array, policy: EnclavePolicy) => {
  const question = { attestation: answer, nonce, model: 'default', minimum: 'any', policy, nowMs: testNowMs } as const;
  const verdict = await verifyEnclave(question);
  return verdict.refused ? verdict.code : verdict.level;
};

async function amdAnswer(machine: AmdMachine, nonce = randomBytes(32)): Promise<Bare & { need: CollateralNeed }> {
  const withList = { revocationList: {} };
  const whole = await makeHardwareAttestation({
    nonce,
    machine: (expected) => machine.makeEvidence({ expected, ...withList }),
  });
  const [item] = whole.evidence;
  if (item?.kind !== 'sev-snp') throw new Error('An AMD machine gives a report.');
  const need = readSevSnpNeed(fromBase64Url(item.report), null);
  const [collateral] = whole.collateral ?? [];
  if (collateral?.kind !== 'sev-snp' || need.kind !== 'sev-snp') throw new Error('It needs what AMD publishes.');
  const { bootLoader, firmware, microcode, snp, tee } = need.tcb;
  const two = (level: number) => String(level).padStart(2, '0');
  const levels = `blSPL=${two(bootLoader)}&teeSPL=${two(tee)}&snpSPL=${two(snp)}&ucodeSPL=${two(microcode)}`;
  const first = firmware === null ? '' : `fmcSPL=${two(firmware)}&`;
  vendors.publishAmd(machine.product, `${toHex(fromBase64Url(need.chipId))}?${first}${levels}`, collateral);
  return { ...bare(whole, [need]), need };
}

describe('AMD', () => {
  test.each(['Milan', 'Genoa', 'Turin'] satisfies Product[])(
    '%s: chain and list, as a client verifies them',
    async (product) => {
      const machine = makeAmdMachine(product);
      const nonce = randomBytes(32);
      const { answer, collateral } = await amdAnswer(machine, nonce);
      const policy = hardwarePolicy({
        measured: { sevSnp: [machine.measurement], tdx: [] },
        sevSnp: machine.policy,
      });
      const completed = await source().complete(answer);
      expect(completed.collateral).toEqual(collateral);
      expect(completed).not.toHaveProperty('collateralNeeds');
      expect(await verdictOn(completed, nonce, policy)).toBe('hardware');
      // The same without what was fetched.
      const { collateral: _fetched, ...without } = completed;
      expect(await verdictOn(without, nonce, policy)).toBe('collateral-missing');
      const hwId = product === 'Turin' ? 16 : 128;
      expect(vendors.asked.some((path) => new RegExp(`^/vcek/v1/${product}/[0-9a-f]{${hwId}}\\?`).test(path))).toBe(
        true,
      );
    },
  );

  test('without a revocation list there the chain is given alone', async () => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.refusals.set('/vcek/v1/Genoa/crl', { status: 503 });
    const [whole] = collateral;
    const { revocationList: _list, ...chain } = whole as Extract<CollateralItem, { kind: 'sev-snp' }>;
    expect((await source().complete(answer)).collateral).toEqual([chain]);
    // Nor does one that is silent cost the client what it cannot do without.
    vendors.refusals.clear();
    vendors.silentAt = '/vcek/v1/Genoa/crl';
    expect((await source(4_000).complete(answer)).collateral).toEqual([chain]);
    vendors.silentAt = null;
    expect((await source().complete(answer)).collateral).toEqual(collateral);
  });
});

test('Intel: TCB info, identity, lists and their chains, as a client verifies them', async () => {
  const vendor = makeIntelVendor();
  const machine = makeIntelMachine({ vendor });
  const nonce = randomBytes(32);
  const whole = await makeHardwareAttestation({ nonce, machine: (expected) => machine.makeEvidence({ expected }) });
  const [item] = whole.evidence;
  const [collateral] = whole.collateral ?? [];
  if (item?.kind !== 'tdx' || collateral?.kind !== 'tdx') throw new Error('A TDX machine gives a quote.');
  const need = readTdxCollateralNeed(fromBase64Url(item.quote));
  vendors.publishIntel(need.fmspc, need.ca, collateral);
  const { answer } = bare(whole, [need]);
  const completed = await source().complete(answer);
  expect(completed.collateral).toEqual([collateral]);
  const policy = hardwarePolicy({
    measured: { sevSnp: [], tdx: [machine.tdxRelease] },
    tdx: { roots: [machine.rootDigest], tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 18 },
  });
  expect(await verdictOn(completed, nonce, policy)).toBe('hardware');
  expect(vendors.asked.toSorted()).toEqual([
    '/IntelSGXRootCA.der',
    `/sgx/certification/v4/pckcrl?ca=${need.ca}&encoding=der`,
    '/tdx/certification/v4/qe/identity',
    `/tdx/certification/v4/tcb?fmspc=${need.fmspc}`,
  ]);
});

test('NVIDIA: manifests by their names, beside the machine’s own', async () => {
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
  if (gpu?.kind !== 'nvidia-gpu' || manifests?.kind !== 'nvidia-gpu') throw new Error('Two kinds.');
  if (own === undefined) throw new Error('The machine has collateral of its own.');
  const manifestIds = listManifestIds(gpu.devices);
  vendors.publishNvidia(manifestIds, manifests);
  const { answer } = bare(whole, [{ kind: 'nvidia-gpu', manifestIds: [...manifestIds, ...manifestIds] }]);
  const completed = await source().complete({ ...answer, collateral: [own] });
  expect(completed.collateral).toEqual([own, manifests]);
  expect(vendors.asked.toSorted()).toEqual(manifestIds.map((id) => `/v1/rim/${id}`).toSorted());
  const policy = hardwarePolicy({
    measured: { sevSnp: [amd.measurement], tdx: [] },
    sevSnp: amd.policy,
    nvidiaGpu: gpus.policy,
  });
  expect(await verdictOn(completed, nonce, policy)).toBe('hardware-gpu');
});

describe('calls to a vendor', () => {
  test('nothing, when nothing is needed or the worker gave it', async () => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    const { collateralNeeds: _needs, ...content } = answer;
    expect(await source().complete(content)).toEqual(content);
    const given = { ...answer, collateral: [...collateral] };
    expect((await source().complete(given)).collateral).toEqual(collateral);
    expect(vendors.asked).toEqual([]);
  });

  test('each document once, for many clients at once and after them', async () => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.delayMs = 50;
    const relay = source();
    const all = await Promise.all(Array.from({ length: 20 }, () => relay.complete(answer)));
    for (const completed of all) expect(completed.collateral).toEqual(collateral);
    expect((await relay.complete(answer)).collateral).toEqual(collateral);
    expect(vendors.asked).toHaveLength(3);
  });

  test('dated documents again after a day, a chip’s certificate not', async () => {
    const { answer } = await amdAnswer(makeAmdMachine());
    const relay = source();
    await relay.complete(answer);
    nowMs += 23 * 3_600_000;
    await relay.complete(answer);
    expect(vendors.asked).toHaveLength(3);
    nowMs += 2 * 3_600_000;
    await relay.complete(answer);
    expect([vendors.count('/vcek/v1/Genoa/crl'), vendors.count('/vcek/v1/Genoa/cert_chain')]).toEqual([2, 2]);
    expect(vendors.asked).toHaveLength(5);
  });

  test('a list that is due soon is asked for before that', async () => {
    const machine = makeAmdMachine();
    const nonce = randomBytes(32);
    const dueMs = Date.now() + 3_600_000;
    const whole = await makeHardwareAttestation({
      nonce,
      machine: (expected) => machine.makeEvidence({ expected, revocationList: { nextUpdate: dueMs } }),
    });
    const { need } = await amdAnswer(machine);
    const [collateral] = whole.collateral ?? [];
    if (collateral?.kind !== 'sev-snp' || need.kind !== 'sev-snp') throw new Error('It needs what AMD publishes.');
    vendors.publishAmd('Genoa', 'unused', collateral);
    nowMs = Date.now();
    const relay = source();
    const { answer } = bare(whole, [need]);
    await relay.complete(answer);
    nowMs = dueMs - 20 * 60_000;
    await relay.complete(answer);
    expect(vendors.count('/vcek/v1/Genoa/crl')).toBe(1);
    nowMs = dueMs - 5 * 60_000;
    await relay.complete(answer);
    expect(vendors.count('/vcek/v1/Genoa/crl')).toBe(2);
  });

  test.each([
    { what: 'unknown', refusal: { status: 404 }, quietMs: 9 * 60_000, againMs: 2 * 60_000 },
    { what: 'broken', refusal: { status: 500 }, quietMs: 20_000, againMs: 15_000 },
    { what: 'busy', refusal: { status: 429, retryAfter: '120' }, quietMs: 110_000, againMs: 15_000 },
  ])('not soon again what was $what, and then it is there', async ({ refusal, quietMs, againMs }) => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.refusals.set('/vcek/', refusal);
    const relay = source();
    expect(await relay.complete(answer)).not.toHaveProperty('collateral');
    expect(log.codes).toEqual(['collateral-missing']);
    // The refusals of the other documents are in as well.
    await expect.poll(() => vendors.answered).toBe(3);
    await sleep(50);
    vendors.refusals.clear();
    const asked = vendors.asked.length;
    nowMs += quietMs;
    expect(await relay.complete(answer)).not.toHaveProperty('collateral');
    expect(vendors.asked).toHaveLength(asked);
    nowMs += againMs;
    expect((await relay.complete(answer)).collateral).toEqual(collateral);
  });

  test('no longer than a client has patience; what comes late is there for the next', async () => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.delayMs = 400;
    const relay = source(100);
    expect(await relay.complete(answer)).not.toHaveProperty('collateral');
    await expect.poll(async () => (await relay.complete(answer)).collateral).toEqual(collateral);
    expect(vendors.asked).toHaveLength(3);
  });

  test.each([
    ['too long', '/vcek/v1/Genoa/cert_chain', { body: 'x'.repeat(40_000) }],
    ['not PEM', '/vcek/v1/Genoa/cert_chain', { body: 'no certificates' }],
    ['a chain of three', '/vcek/v1/Genoa/cert_chain', 'thrice'],
  ] as const)('nothing of a document that is %s', async (_what, path, change) => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.changes.set(path, (document) =>
      change === 'thrice' ? { body: `${String(document.body)}${String(document.body)}` } : change,
    );
    expect(await source().complete(answer)).not.toHaveProperty('collateral');
    vendors.changes.clear();
    expect((await source().complete(answer)).collateral).toEqual(collateral);
  });

  test('no redirect is followed', async () => {
    const { answer, collateral } = await amdAnswer(makeAmdMachine());
    vendors.refusals.set('/vcek/v1/Genoa/cert_chain', { status: 302 });
    expect(await source().complete(answer)).not.toHaveProperty('collateral');
    vendors.refusals.clear();
    expect((await source().complete(answer)).collateral).toEqual(collateral);
  });
});
