import { listManifestIds } from '../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import type { EnclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import { PolicyInstallation } from '../relay/policy-installation.ts';
import { startUpstream } from '../worker/upstream/upstream.ts';
import { HardwareWorker } from './hardware-worker.ts';
import { TestChip } from './amd/test-chip.ts';
import { TestRegistrar } from './modal/test-registrar.ts';
import { VendorServices } from './vendors/vendor-services.ts';

export type SiteRelay = 'amd' | 'intel' | 'modal' | 'plain';

/**
 * One build of the client, whose policy accepts our test roots, and a relay for each kind of evidence. Two workers are on an
 * AMD machine with a GPU, one on an Intel machine. A registrar vouches for one, and one has a model that nobody listed.
 */
export class EvidenceSite implements AsyncDisposable {
  readonly installation: PolicyInstallation;
  readonly ports: Readonly<Record<SiteRelay, number>>;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    installation: PolicyInstallation,
    ports: Readonly<Record<SiteRelay, number>>,
    resources: AsyncDisposableStack,
  ) {
    this.installation = installation;
    this.ports = ports;
    this.#resources = resources;
  }

  static async start(): Promise<EvidenceSite> {
    await using opening = new AsyncDisposableStack();
    const amd = opening.use(await TestChip.start('sev-snp', { gpus: 1, hostHasCertificates: true }));
    const intel = opening.use(await TestChip.start('tdx'));
    const registrar = await TestRegistrar.start();
    opening.defer(() => registrar.stop());
    const upstream = await startUpstream(['another-model']);
    opening.defer(() => upstream.stop());
    const vendors = opening.use(await publish(amd, intel));
    const startWorker = async (...given: Parameters<typeof HardwareWorker.start>) =>
      opening.use(await HardwareWorker.start(...given));
    const onModal = {
      EVIDENCE: 'modal',
      REGISTRAR_URL: registrar.url,
      MODAL_IDENTITY_TOKEN: registrar.issuer.makeToken(),
    };
    const unlisted = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl, LLM_MODEL: 'another-model' };
    const [first, second, tdx, modal, plain] = await Promise.all([
      startWorker(amd),
      startWorker(amd),
      startWorker(intel),
      startWorker(null, onModal),
      startWorker(null, unlisted),
    ]);
    const ofAmd = amd.policyFor(first.imageDigest);
    const ofIntel = intel.policyFor(first.imageDigest);
    const policy: EnclavePolicy = {
      ...ofAmd,
      allowedKinds: ['development', 'modal', 'sev-snp', 'tdx'],
      models: [{ model: 'rehearsal', weightsDigests: null }],
      minimum: 'any',
      releases: ofAmd.releases.map((release) => ({ ...release, tdx: ofIntel.releases[0]?.tdx ?? [] })),
      modal: registrar.policySection,
      tdx: ofIntel.tdx,
    };
    const installation = opening.use(await PolicyInstallation.build(policy));
    const relay = (name: SiteRelay, ...workers: HardwareWorker[]) =>
      installation.startRelay(name, {
        COLLATERAL_AMD_URL: vendors.url,
        COLLATERAL_INTEL_URL: vendors.url,
        COLLATERAL_NVIDIA_URL: vendors.url,
        COLLATERAL_NVIDIA_OCSP_URL: 'off',
        ENCLAVE_URLS: workers.map(({ url }) => url).join(','),
        ENCLAVE_TOKEN: first.token,
      });
    const ports = {
      amd: await relay('amd', first, second),
      intel: await relay('intel', tdx),
      modal: await relay('modal', modal),
      plain: await relay('plain', plain),
    };
    return new EvidenceSite(installation, ports, opening.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

/** Publishes what the vendors of these machines say of them; AMD's certificates come from the host. */
async function publish(amd: TestChip, intel: TestChip): Promise<VendorServices> {
  const vendors = await new VendorServices().start();
  const gpu = amd.gpus?.makeEvidence({ expected: new Uint8Array(32) });
  if (gpu !== undefined) vendors.publishNvidia(listManifestIds(gpu.evidence.devices), gpu.collateral);
  const { machine } = intel;
  const tdx = intel.collateral().find((item) => item.kind === 'tdx');
  if (tdx !== undefined && 'need' in machine) vendors.publishIntel(machine.need.fmspc, machine.need.ca, tdx);
  return vendors;
}
