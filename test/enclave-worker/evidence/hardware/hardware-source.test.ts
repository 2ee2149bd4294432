import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { deriveGpuNonce, deriveReportData, readBinding } from '../../../../crypto/evidence/binding.ts';
import type { SevSnpEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import {
  EvidenceError,
  type EvidenceProblem,
  NoEvidence,
} from '../../../../enclave-worker/evidence/source/evidence-source.ts';
import {
  evidenceLifetimeMs,
  evidenceRenewalMs,
  HardwareSource,
  type MachineReport,
} from '../../../../enclave-worker/evidence/hardware/hardware-source.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';

const identityPublicKey = randomBytes(32);
const imageDigest = randomBytes(32);
const startMs = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A machine that signs nothing and notes what it was asked. */
class ScriptedMachine {
  readonly asked: Bytes[] = [];
  readonly problems: EvidenceProblem[] = [];
  fails: EvidenceProblem | null = null;
  hold: Promise<void> | null = null;
  running = 0;
  most = 0;

  readonly collect = async (reportData: Bytes): Promise<MachineReport> => {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    this.asked.push(reportData);
    try {
      await this.hold;
      if (this.fails !== null) throw new EvidenceError(this.fails);
      const report = new Uint8Array(1184);
      report.set(reportData, 0x50);
      return { evidence: { kind: 'sev-snp', report: toBase64Url(report) }, collateral: null, need: null };
    } finally {
      this.running -= 1;
    }
  };

  source(gpu: ConstructorParameters<typeof HardwareSource>[0]['gpu'] = null): HardwareSource {
    const source = new HardwareSource({
      identityPublicKey,
      imageDigest,
      machine: this.collect,
      gpu,
      nowMs: () => Date.now(),
      onProblem: (problem) => this.problems.push(problem),
    });
    source.start();
    return source;
  }
}

const shownBy = async (source: HardwareSource, nonce: Bytes | null = null) =>
  (await source.current(nonce)).evidence[0] as SevSnpEvidence;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('HardwareSource', () => {
  test('binds identity, image, freshness and time, and shows the same until it is renewed', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    const first = await shownBy(source);
    expect(first).toMatchObject({
      identityPublicKey: toBase64Url(identityPublicKey),
      imageDigest: toBase64Url(imageDigest),
      notAfterMs: startMs + evidenceLifetimeMs,
    });
    expect(machine.asked).toEqual([deriveReportData(readBinding(first), [])]);
    await pass(evidenceRenewalMs - 1);
    expect(await shownBy(source)).toEqual(first);
    await pass(2);
    const second = await shownBy(source);
    expect(second.freshness).not.toBe(first.freshness);
    expect(second.notAfterMs).toBe(startMs + evidenceRenewalMs + evidenceLifetimeMs);
    source.close();
  });

  test('is renewed within the hour and holds for less than two', () => {
    expect(evidenceRenewalMs).toBeLessThan(3_600_000);
    expect(evidenceLifetimeMs).toBeLessThan(7_200_000);
  });

  test('the machine signs what the GPUs signed first', async () => {
    const gpus = makeNvidiaMachine({ gpus: 1 });
    const machine = new ScriptedMachine();
    const nonces: Bytes[] = [];
    const source = machine.source(async (nonce) => {
      nonces.push(nonce);
      return { devices: gpus.makeEvidence({ expected: nonce }).evidence.devices, need: null };
    });
    const { evidence } = await source.current(null);
    const binding = readBinding(evidence[0] as SevSnpEvidence);
    const [, device] = evidence;
    expect(nonces).toEqual([deriveGpuNonce(binding)]);
    expect(device?.kind).toBe('nvidia-gpu');
    const devices = device?.kind === 'nvidia-gpu' ? device.devices : [];
    expect(machine.asked).toEqual([deriveReportData(binding, devices)]);
    source.close();
  });

  test('callers who want the hardware to sign for them keep nobody from the enclave’s own evidence', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    await source.current(null);
    // GPUs are like this: a report takes seconds, and somebody asks for one each second for two hours.
    Object.defineProperty(machine, 'hold', { get: () => new Promise((resolve) => setTimeout(resolve, 5_000)) });
    for (let second = 0; second < 7_200; second += 1) {
      source.current(randomBytes(32)).catch(() => undefined);
      await pass(1_000);
    }
    expect(machine.most).toBe(1);
    expect(source.isReady).toBe(true);
    expect((await shownBy(source)).notAfterMs).toBeGreaterThan(Date.now());
    source.close();
  });

  test('a GPU that fails leaves no evidence of the machine alone', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source(() => Promise.reject(new EvidenceError('tool-failed')));
    await expect(source.current(null)).rejects.toThrow('starting');
    expect(machine.asked).toEqual([]);
    expect(machine.problems).toEqual(['tool-failed']);
    source.close();
  });

  test('HardwareSource: evidence that no schema takes goes nowhere', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source(() => Promise.resolve({ devices: [], need: null }));
    await expect(source.current(null)).rejects.toThrow('starting');
    expect(machine.problems).toEqual(['malformed']);
    source.close();
  });

  test('shows what it has while renewing fails, and nothing once that is over', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    const first = await shownBy(source);
    machine.fails = 'no-provider';
    await pass(evidenceRenewalMs + 60_000);
    expect(machine.problems.length).toBeGreaterThan(1);
    expect(await shownBy(source)).toEqual(first);
    expect(source.isReady).toBe(true);
    await pass(evidenceLifetimeMs - evidenceRenewalMs - 120_000);
    expect(source.isReady).toBe(false);
    await expect(source.current(null)).rejects.toBeInstanceOf(NoEvidence);
    // Pauses grow: a driver that is gone is not asked without end.
    expect(machine.asked.length).toBeLessThan(30);
    machine.fails = null;
    await pass(300_000);
    expect((await shownBy(source)).notAfterMs).toBeGreaterThan(Date.now());
    source.close();
  });

  test('for a client’s nonce it asks the hardware, one at a time', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    await source.current(null);
    const nonces = Array.from({ length: 10 }, () => randomBytes(32));
    const shown = await Promise.all(nonces.map((nonce) => shownBy(source, nonce)));
    expect(shown.map(({ freshness }) => freshness)).toEqual(nonces.map((nonce) => toBase64Url(nonce)));
    expect(machine).toMatchObject({ most: 1 });
    expect(machine.asked.length).toBe(11);
    source.close();
  });

  test('so many at once and one a second after that; what is at hand is for everybody', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    await source.current(null);
    const ask = () =>
      source.current(randomBytes(32)).then(
        () => 'answered',
        (error: NoEvidence) => error.reason,
      );
    const first = await Promise.all(Array.from({ length: 20 }, ask));
    expect(first.filter((each) => each === 'answered').length).toBe(16);
    expect(first.filter((each) => each === 'busy').length).toBe(4);
    expect(await ask()).toBe('busy');
    await pass(1000);
    expect(await ask()).toBe('answered');
    expect(await ask()).toBe('busy');
    expect(source.isReady).toBe(true);
    await source.current(null);
    source.close();
  });

  test('hardware that hangs fails those who wait, and is not asked again before it has answered', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    await source.current(null);
    let release = () => {};
    machine.hold = new Promise((resolve) => (release = resolve));
    const waiting = [1, 2, 3].map(() => source.current(randomBytes(32)).catch((error: NoEvidence) => error.reason));
    await pass(100_000);
    expect(await Promise.all(waiting)).toEqual(['starting', 'starting', 'starting']);
    expect(machine).toMatchObject({ running: 1, most: 1 });
    expect(machine.problems).toEqual(['slow', 'slow', 'slow']);
    const asked = machine.asked.length;
    release();
    machine.hold = null;
    await pass(10);
    // Nothing was asked for the callers who had gone.
    expect(machine.asked.length).toBe(asked);
    expect((await shownBy(source, randomBytes(32))).kind).toBe('sev-snp');
    source.close();
  });

  test('closed, it asks for nothing any more', async () => {
    const machine = new ScriptedMachine();
    const source = machine.source();
    await source.current(null);
    source.close();
    await pass(10 * evidenceRenewalMs);
    expect(machine.asked.length).toBe(1);
  });
});
