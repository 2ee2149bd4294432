import { readFile } from 'node:fs/promises';
import { listManifestIds } from '../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import { listRevocationIds } from '../../../crypto/evidence/nvidia-gpu/revocation-ids.ts';
import { readToolOutput } from '../../../crypto/evidence/nvidia-gpu/device/read-tool-output.ts';
import { parseSnpReport, readSevSnpNeed } from '../../../crypto/evidence/sev-snp/report.ts';
import { readVcekStatement } from '../../../crypto/evidence/sev-snp/vcek.ts';
import { readTdxCollateralNeed } from '../../../crypto/evidence/tdx/collateral-need.ts';
import { parseQuote } from '../../../crypto/evidence/tdx/quote.ts';
import { parseCertificate } from '../../../crypto/evidence/x509/certificate.ts';
import type { CollateralNeed, SevSnpCollateral } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { readCertificateTable } from './certificate-table.ts';
import { EvidenceError } from '../source/evidence-source.ts';
import { runGpuTool } from './gpu-tool.ts';
import type { GpuCollector, MachineCollector } from './hardware-source.ts';
import { readTsmReport, tsmFolder } from './tsm-report.ts';

/** Reports of AMD SEV-SNP guests. */
export function sevSnpCollector(folder: string = tsmFolder): MachineCollector {
  return async (reportData) => {
    const { outblob, auxblob } = await readTsmReport({ folder, provider: 'sev_guest', reportData });
    const cpu = await readCpu();
    const { need, collateral } = attempt(() => {
      const report = parseSnpReport(outblob);
      if (!equalBytes(report.reportData, reportData)) throw new EvidenceError('malformed');
      return {
        need: readSevSnpNeed(outblob, cpu),
        collateral: auxblob === null ? null : readHostCertificates(auxblob, report.reportedTcb),
      };
    });
    return {
      evidence: { kind: 'sev-snp', report: toBase64Url(outblob) },
      collateral,
      need: collateral === null ? need : null,
    };
  };
}

/** Quotes of Intel TDX guests. */
export function tdxCollector(folder: string = tsmFolder): MachineCollector {
  return async (reportData) => {
    const { outblob } = await readTsmReport({ folder, provider: 'tdx_guest', reportData });
    const need: CollateralNeed = attempt(() => {
      if (!equalBytes(parseQuote(outblob).report.reportData, reportData)) throw new EvidenceError('malformed');
      return readTdxCollateralNeed(outblob);
    });
    return { evidence: { kind: 'tdx', quote: toBase64Url(outblob) }, collateral: null, need };
  };
}

/** Signed measurements of all NVIDIA GPUs of this machine. */
export function nvidiaGpuCollector(tool: string): GpuCollector {
  return async (nonce) => {
    const output = await runGpuTool(tool, nonce);
    return attempt(() => {
      const devices = readToolOutput(output, nonce);
      const [manifestIds, revocationIds] = [listManifestIds(devices), listRevocationIds(devices)];
      return { devices, need: { kind: 'nvidia-gpu', manifestIds, revocationIds } };
    });
  };
}

/** The host's table, unless its certificate is of other firmware than the report: a host updates it by hand. */
function readHostCertificates(table: Bytes, reportedTcb: Bytes): SevSnpCollateral | null {
  const collateral = readCertificateTable(table);
  if (collateral === null) return null;
  try {
    const { tcb } = readVcekStatement(parseCertificate(fromBase64Url(collateral.vcek)));
    return equalBytes(tcb, reportedTcb) ? collateral : null;
  } catch {
    return null;
  }
}

/** Old reports do not name their processor; the machine does. A wrong name only fetches a certificate that does not fit. */
async function readCpu(): Promise<{ family: number; model: number } | null> {
  const text = await readFile('/proc/cpuinfo', 'latin1').catch(() => '');
  const [, family] = /^cpu family\s*:\s*(\d{1,3})$/m.exec(text) ?? [];
  const [, model] = /^model\s*:\s*(\d{1,3})$/m.exec(text) ?? [];
  return family === undefined || model === undefined ? null : { family: Number(family), model: Number(model) };
}

/** Whatever a parser objects to: no client could read it either. */
function attempt<Result>(compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    throw error instanceof EvidenceError ? error : new EvidenceError('malformed');
  }
}
