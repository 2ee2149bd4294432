import * as v from 'valibot';
import { equalBytes, fromHex } from '../../protocol/bytes/bytes.ts';
import { refuse } from '../policy/evidence-step.ts';
import type { PckExtensions } from './pck-certificate.ts';
import type { TdReport } from './quote.ts';
import { documentEntries, hexField } from './signed-document.ts';

export const platformStatuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const;
export type PlatformStatus = (typeof platformStatuses)[number];
/** The status of a software component: the TDX module, the quoting enclave. */
export type ModuleStatus = 'UpToDate' | 'OutOfDate' | 'Revoked';

function svnField(maximum: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maximum));
}
const componentSvns = v.pipe(v.array(v.object({ svn: svnField(255) })), v.length(16));
/** Security versions of a software component, the newest level first. */
export const moduleLevels = v.pipe(
  v.array(
    v.object({
      tcb: v.object({ isvsvn: svnField(65_535) }),
      tcbStatus: v.picklist(['UpToDate', 'OutOfDate', 'Revoked']),
    }),
  ),
  v.minLength(1),
  v.maxLength(64),
);
const moduleEntries = {
  mrsigner: hexField(48),
  attributes: hexField(8),
  attributesMask: hexField(8),
};

/** Intel's TCB info of version 3 for TDX (Intel PCS API v4, "Get TDX TCB Info"). */
export const tcbInfoSchema = v.object({
  ...documentEntries,
  id: v.literal('TDX'),
  version: v.literal(3),
  fmspc: hexField(6),
  pceId: hexField(2),
  tcbType: v.literal(0),
  tdxModule: v.object(moduleEntries),
  tdxModuleIdentities: v.exactOptional(
    v.pipe(
      v.array(v.object({ id: v.pipe(v.string(), v.maxLength(32)), ...moduleEntries, tcbLevels: moduleLevels })),
      v.maxLength(64),
    ),
  ),
  tcbLevels: v.pipe(
    v.array(
      v.object({
        tcb: v.object({
          sgxtcbcomponents: componentSvns,
          pcesvn: svnField(65_535),
          tdxtcbcomponents: componentSvns,
        }),
        tcbStatus: v.picklist(platformStatuses),
      }),
    ),
    v.minLength(1),
    v.maxLength(64),
  ),
});
export type TcbInfo = v.InferOutput<typeof tcbInfoSchema>;

const moduleStep = 'tdx-module';

/**
 * The status that Intel gives to a platform with these security versions. It is that of the first level that all of them reach
 * (Intel PCS API v4, "Get TDX TCB Info", steps 3 and 4).
 *
 * @throws {EvidenceRefused} `outdated-firmware` where they reach none.
 */
export function ratePlatform(tcbInfo: TcbInfo, pck: PckExtensions, { teeTcbSvn }: TdReport): PlatformStatus {
  // Byte 1 is the TDX module's major version. Above 0, the first two bytes are rated by that module's own levels.
  const start = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  const level = tcbInfo.tcbLevels.find(
    ({ tcb }) =>
      tcb.sgxtcbcomponents.every(({ svn }, index) => (pck.componentSvns[index] ?? -1) >= svn) &&
      pck.pceSvn >= tcb.pcesvn &&
      tcb.tdxtcbcomponents.every(({ svn }, index) => index < start || (teeTcbSvn[index] ?? -1) >= svn),
  );
  if (level === undefined) refuse('outdated-firmware', 'tdx-firmware', 'older-than-all-rated');
  return level.tcbStatus;
}

/**
 * Checks that Intel signed the TDX module, and rates its version (Intel PCS API v4, "Get TDX TCB Info", step 5).
 *
 * @throws {EvidenceRefused} `measurement` (not the module that Intel names), `outdated-firmware` where its version is not rated.
 */
export function rateTdxModule(tcbInfo: TcbInfo, report: TdReport): ModuleStatus {
  const [isvSvn = 0, majorVersion = 0] = report.teeTcbSvn;
  if (majorVersion === 0) {
    checkModule(tcbInfo.tdxModule, report);
    return 'UpToDate';
  }
  const id = `TDX_${majorVersion.toString(16).padStart(2, '0').toUpperCase()}`;
  const [module, ...others] = (tcbInfo.tdxModuleIdentities ?? []).filter((entry) => entry.id.toUpperCase() === id);
  if (module === undefined || others.length > 0) {
    refuse('outdated-firmware', moduleStep, 'module-not-rated', { module: id });
  }
  checkModule(module, report);
  return rateIsvSvn(module.tcbLevels, isvSvn) ?? refuse('outdated-firmware', moduleStep, 'older-than-rated');
}

/** The first level that is reached; null: none. */
export function rateIsvSvn(levels: v.InferOutput<typeof moduleLevels>, isvSvn: number): ModuleStatus | null {
  return levels.find(({ tcb }) => isvSvn >= tcb.isvsvn)?.tcbStatus ?? null;
}

function checkModule(expected: v.InferOutput<v.ObjectSchema<typeof moduleEntries, undefined>>, report: TdReport): void {
  if (!equalBytes(report.mrSignerSeam, fromHex(expected.mrsigner))) {
    refuse('measurement', moduleStep, 'module-not-by-intel');
  }
  if (!equalBytes(maskBytes(report.seamAttributes, fromHex(expected.attributesMask)), fromHex(expected.attributes))) {
    refuse('measurement', moduleStep, 'module-attributes');
  }
}

/** @returns `bytes AND mask`, as long as `bytes`; a shorter mask has zeros behind it. */
export function maskBytes(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte & (mask[index] ?? 0));
}

/** The worst of three; a component that is out of date makes the whole so (Intel PCS API v4, step 6). */
export function combineStatuses(platform: PlatformStatus, ...modules: readonly ModuleStatus[]): PlatformStatus {
  if (platform === 'Revoked' || modules.includes('Revoked')) return 'Revoked';
  if (!modules.includes('OutOfDate')) return platform;
  return platform.includes('Configuration') ? 'OutOfDateConfigurationNeeded' : 'OutOfDate';
}
