import * as v from 'valibot';
import { nvidiaGpuEvidence, type NvidiaGpuEvidence } from '../../../protocol/messages/evidence-messages.ts';
import { decodeUtf8, equalBytes, fromHex, toBase64Url } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import { parseGpuReport } from './gpu-report.ts';
import { fromStandardBase64 } from '../../../protocol/bytes/standard-base64.ts';

/** 16 devices of 22,000 characters each, and room for white space. */
const maximumLength = 1_048_576;

/** One device of what `nvattest` prints (NVIDIA attestation-sdk, GpuEvidence); members that it may add are left alone. */
const toolDevice = v.object({
  arch: v.picklist(['HOPPER', 'BLACKWELL']),
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/)),
  evidence: v.pipe(v.string(), v.maxLength(24_000)),
  certificate: v.pipe(v.string(), v.maxLength(100_000)),
});
const toolDevices = v.pipe(v.array(toolDevice), v.minLength(1), v.maxLength(16));
/** The list alone, or `nvattest collect-evidence --format json` around it. */
const toolOutput = v.union([toolDevices, v.object({ result_code: v.literal(0), evidences: toolDevices })]);

/**
 * Takes what NVIDIA's local tool printed to the devices of `nvidia-gpu` evidence.
 *
 * @param nonce - The tool was asked with it; output for another one is refused.
 * @throws {CryptoError} `malformed`, `too-long`.
 */
export function readToolOutput(text: string, nonce: Uint8Array): NvidiaGpuEvidence['devices'] {
  if (text.length > maximumLength) throw new CryptoError('too-long');
  const parsed = v.safeParse(toolOutput, parseJson(text));
  if (!parsed.success) throw new CryptoError('malformed');
  const printed = Array.isArray(parsed.output) ? parsed.output : parsed.output.evidences;
  const devices = printed.map((device) => {
    const report = fromStandardBase64(device.evidence);
    const isAnswer = equalBytes(fromHex(device.nonce.toLowerCase()), nonce);
    if (!isAnswer || !equalBytes(parseGpuReport(report).nonce, nonce)) throw new CryptoError('malformed');
    return {
      architecture: device.arch,
      report: toBase64Url(report),
      certificates: readPem(decodeUtf8(fromStandardBase64(device.certificate))),
    };
  });
  const checked = v.safeParse(nvidiaGpuEvidence.entries.devices, devices);
  if (!checked.success) throw new CryptoError('malformed');
  return checked.output;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CryptoError('malformed');
  }
}

/** Certificates in PEM, in the order of the text. */
function readPem(text: string): string[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = '']) => toBase64Url(fromStandardBase64(body)));
}
