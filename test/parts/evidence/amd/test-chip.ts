import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../machine/temporary-folder.ts';
import { type AmdMachine, makeAmdMachine } from './amd-machine.ts';
import { hardwarePolicy } from '../hardware-attestation.ts';
import { writeGpuTool } from '../nvidia/gpu-tool.ts';
import { type IntelMachine, makeIntelMachine } from '../intel/intel-machine.ts';
import { makeNvidiaMachine, type NvidiaMachine } from '../nvidia/nvidia-machine.ts';
import { certificateIds, makeCertificateTable, type TsmBlobs } from './tsm-folder.ts';

const preload = resolve(import.meta.dirname, 'tsm-preload.ts');

/**
 * The hardware of one machine, for workers in processes of their own: signs under a test root what their kernel and
 * their `nvattest` are asked to sign.
 */
export class TestChip implements AsyncDisposable {
  readonly kind: 'sev-snp' | 'tdx';
  readonly machine: AmdMachine | IntelMachine;
  readonly gpus: NvidiaMachine | null;
  readonly #server: Server;
  readonly #folder: TemporaryFolder;
  readonly #hostHasCertificates: boolean;
  /** Reports made so far. */
  reports = 0;
  /** No more answers, as when a driver fails. */
  isDown = false;

  private constructor(
    kind: 'sev-snp' | 'tdx',
    options: { readonly gpus?: number; readonly hostHasCertificates?: boolean },
    folder: TemporaryFolder,
  ) {
    this.kind = kind;
    this.machine = kind === 'sev-snp' ? makeAmdMachine() : makeIntelMachine();
    this.gpus = options.gpus === undefined ? null : makeNvidiaMachine({ gpus: options.gpus });
    this.#hostHasCertificates = options.hostHasCertificates ?? false;
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = this.isDown
          ? null
          : this.#answer(new URL(request.url ?? '/', 'http://chip'), Buffer.concat(chunks));
        response.writeHead(body === null ? 503 : 200).end(body);
      });
    });
  }

  /** @param options.hostHasCertificates - The host hands AMD's chain to its guests, so that none has to be fetched. */
  static async start(
    kind: 'sev-snp' | 'tdx',
    options: { readonly gpus?: number; readonly hostHasCertificates?: boolean } = {},
  ): Promise<TestChip> {
    const chip = new TestChip(kind, options, await makeTemporaryFolder('chip'));
    await new Promise<void>((done) => chip.#server.listen(0, '127.0.0.1', done));
    return chip;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For a worker on this machine: settings, and the way to its kernel. */
  get environment(): Record<string, string> {
    return {
      EVIDENCE: this.kind,
      ...(this.gpus === null
        ? {}
        : { EVIDENCE_GPU: 'nvidia', EVIDENCE_GPU_TOOL: writeGpuTool(this.#folder.path, this.url) }),
      TEST_CHIP_URL: this.url,
      TEST_CHIP_PROVIDER: this.kind === 'sev-snp' ? 'sev_guest' : 'tdx_guest',
    };
  }

  /** Options of Node before the worker's file. */
  get nodeOptions(): string[] {
    return ['--import', preload];
  }

  /** Accepts a worker with this file on this machine, and nothing else. */
  policyFor(imageDigest: string, changes: Partial<EnclavePolicy> = {}): EnclavePolicy {
    const { machine, gpus } = this;
    const isAmd = 'authority' in machine;
    return hardwarePolicy({
      measured: isAmd ? { sevSnp: [machine.measurement], tdx: [] } : { sevSnp: [], tdx: [machine.tdxRelease] },
      releases: [
        {
          version: '1.0.0-test',
          url: 'https://releases.example/1.0.0-test',
          imageDigest,
          sevSnp: isAmd ? [machine.measurement] : [],
          tdx: isAmd ? [] : [machine.tdxRelease],
        },
      ],
      sevSnp: isAmd ? machine.policy : null,
      tdx: isAmd
        ? null
        : { roots: [machine.rootDigest], tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 18 },
      nvidiaGpu: gpus?.policy ?? null,
      minimum: gpus === null ? 'hardware' : 'hardware-gpu',
      ...changes,
    });
  }

  /** Gives what the vendors would answer to a relay that asks for this machine. */
  collateral() {
    const expected = new Uint8Array(64);
    const device = this.gpus?.makeEvidence({ expected: new Uint8Array(32) });
    const own = this.machine.makeEvidence({ expected }).collateral;
    return device === undefined ? [own] : [own, device.collateral];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => done());
      this.#server.closeAllConnections();
    });
    await this.#folder.remove();
  }

  /** Makes a report as its kernel driver gives it. */
  makeReport(reportData: Uint8Array): TsmBlobs {
    this.reports += 1;
    const { machine } = this;
    if (!('authority' in machine)) {
      const { evidence } = machine.makeEvidence({ expected: reportData });
      return { outblob: Uint8Array.from(Buffer.from(evidence.quote, 'base64url')), auxblob: null };
    }
    const { vcek, ask, ark } = machine.certificates;
    const table = makeCertificateTable([
      [certificateIds.vcek, vcek],
      [certificateIds.ask, ask],
      [certificateIds.ark, ark],
    ]);
    return { outblob: machine.makeReport(reportData), auxblob: this.#hostHasCertificates ? table : null };
  }

  #answer(url: URL, body: Buffer): string | null {
    if (url.pathname === '/gpus') {
      return this.gpus?.printToolOutput(Buffer.from(url.searchParams.get('nonce') ?? '', 'hex')) ?? null;
    }
    const { outblob, auxblob } = this.makeReport(Uint8Array.from(body));
    return JSON.stringify({
      outblob: Buffer.from(outblob).toString('base64'),
      auxblob: auxblob === null ? null : Buffer.from(auxblob).toString('base64'),
    });
  }
}
