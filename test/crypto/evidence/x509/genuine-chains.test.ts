import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { parseRevocationList } from '../../../../crypto/evidence/x509/revocation-list.ts';
import { verifyChain } from '../../../../crypto/evidence/x509/verify-chain.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';

/** Evidence that vendors' machines made; absent in most checkouts. */
const folder = resolve(import.meta.dirname, '../../../vectors/evidence');

function certificatesOf(pem: string) {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, text]) => Uint8Array.from(Buffer.from(text ?? '', 'base64')));
}
const read = (file: string) => readFileSync(resolve(folder, file));
type Collateral = Record<'tcb_info_issuer_chain' | 'pck_crl_issuer_chain' | 'pck_crl' | 'root_ca_crl', string>;
function readCollateral(): Collateral {
  const collateral: Collateral = JSON.parse(read('tdx_quote_collateral.json').toString('utf8'));
  return collateral;
}
function readDeviceChain(): string {
  const devices: readonly { certificate: string }[] = JSON.parse(read('hopper_evidence.json').toString('utf8'));
  return Buffer.from(devices[0]?.certificate ?? '', 'base64').toString();
}

/** SHA-256 of the roots as AMD, Intel and NVIDIA publish them. */
const roots = {
  amdMilan: '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
  intelSgx: '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
  nvidiaDevice: '102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48',
};
const chains: readonly (readonly [string, () => Uint8Array<ArrayBuffer>[], string, string])[] = [
  [
    'AMD: RSA-PSS, a chip of Milan',
    () => [new Uint8Array(read('vcek.testcer')), ...certificatesOf(read('ask_ark_milan.pem').toString())],
    roots.amdMilan,
    '2024-01-01',
  ],
  [
    'Intel: P-256, the PCK of a TDX quote',
    () => certificatesOf(read('tdx_quote').toString('latin1')),
    roots.intelSgx,
    '2025-06-20',
  ],
  ['Intel: TCB signing', () => certificatesOf(readCollateral().tcb_info_issuer_chain), roots.intelSgx, '2025-06-20'],
  [
    'NVIDIA: P-384, a device of five certificates',
    () => certificatesOf(readDeviceChain()),
    roots.nvidiaDevice,
    '2025-06-20',
  ],
];

test.each(chains)('accepts the chain of %s', async (_name, load, rootDigest, day) => {
  const certificates = load().map((der) => parseCertificate(der));
  const rootDigests = [Uint8Array.from(Buffer.from(rootDigest, 'hex'))];
  const input = { check: 'snp-certificates' as const, certificates, rootDigests, nowMs: Date.parse(day) };
  await verifyChain(input);
  await expect(verifyChain({ ...input, nowMs: Date.parse('2000-01-01') })).rejects.toMatchObject({
    code: 'not-yet-valid',
  });
  await expect(verifyChain({ ...input, rootDigests: [sha256()] })).rejects.toMatchObject({ code: 'untrusted-root' });
  await expect(verifyChain({ ...input, certificates: certificates.toSpliced(1, 1) })).rejects.toMatchObject({
    code: 'chain',
  });
});

test("accepts Intel's revocation lists", async () => {
  const collateral = readCollateral();
  const certificates = certificatesOf(collateral.pck_crl_issuer_chain).map((der) => parseCertificate(der));
  const lists = [collateral.pck_crl, collateral.root_ca_crl].map((hex) =>
    parseRevocationList(Uint8Array.from(Buffer.from(hex, 'hex'))),
  );
  const nowMs = Math.max(...lists.map(({ thisUpdateMs }) => thisUpdateMs));
  const rootDigests = [Uint8Array.from(Buffer.from(roots.intelSgx, 'hex'))];
  const input = { check: 'snp-certificates' as const, certificates, rootDigests, nowMs };
  // The PCK authority's own list is of a leaf here, so only the root's belongs to this chain.
  await verifyChain({ ...input, crls: lists.slice(1) });
  await expect(verifyChain({ ...input, crls: lists })).rejects.toMatchObject({ code: 'chain' });
  const [pck] = certificatesOf(read('tdx_quote').toString('latin1')).map((der) => parseCertificate(der));
  await verifyChain({ ...input, certificates: [pck!, ...certificates], crls: lists });
  await expect(
    verifyChain({ ...input, crls: lists.slice(1), nowMs: (lists[1]?.nextUpdateMs ?? 0) + 1 }),
  ).rejects.toMatchObject({ code: 'outdated-collateral' });
});
