import type { CollateralNeed, TdxCollateral } from '../../../crypto/protocol/messages/evidence-messages.ts';
import type { DocumentCache } from './document-cache.ts';
import { readDerDocument, readHeaderChain, readHexSignature, readJsonObject, readMemberText } from './document-text.ts';
import { freshForMs, readNextUpdateMs } from './fresh-for.ts';
import { fetchDocument } from './vendor-fetch.ts';

export const intelBaseUrl = 'https://api.trustedservices.intel.com';
/** The root's own list lies with its certificate, on another host. */
export const intelRootUrl = 'https://certificates.trustedservices.intel.com';

const documentLimit = 262_144;
const listLimit = 65_536;

type Need = Extract<CollateralNeed, { kind: 'tdx' }>;
type Bases = { readonly service: string; readonly root: string };
type SignedText = { readonly text: string; readonly signature: string; readonly chain: string[] };

/**
 * Fetches Intel's word on one platform's firmware, on its quoting enclave, and on what Intel has revoked (Intel Provisioning
 * Certification Service, API version 4).
 *
 * @throws {VendorRefused}
 */
export async function fetchIntelCollateral(cache: DocumentCache, bases: Bases, need: Need): Promise<TdxCollateral> {
  const { service, root } = bases;
  const [tcb, qe, pckCrl, rootCaCrl] = await Promise.all([
    fetchSigned(cache, `${service}/tdx/certification/v4/tcb?fmspc=${need.fmspc}`, 'tcbInfo', 'tcb-info-issuer-chain'),
    fetchSigned(
      cache,
      `${service}/tdx/certification/v4/qe/identity`,
      'enclaveIdentity',
      'sgx-enclave-identity-issuer-chain',
    ),
    fetchPckCrl(cache, `${service}/sgx/certification/v4/pckcrl?ca=${need.ca}&encoding=der`),
    fetchRootCrl(cache, `${root}/IntelSGXRootCA.der`),
  ]);
  return {
    kind: 'tdx',
    tcbInfo: tcb.text,
    tcbInfoSignature: tcb.signature,
    tcbInfoIssuerChain: tcb.chain,
    qeIdentity: qe.text,
    qeIdentitySignature: qe.signature,
    qeIdentityIssuerChain: qe.chain,
    rootCaCrl,
    pckCrl: pckCrl.list,
    pckCrlIssuerChain: pckCrl.chain,
  };
}

function fetchSigned(cache: DocumentCache, url: string, member: string, header: string): Promise<SignedText> {
  return cache.get(url, async () => {
    const { body, headers } = await fetchDocument(new URL(url), documentLimit);
    const whole = body.toString('utf8');
    const text = readMemberText(whole, member);
    const signature = readHexSignature(readJsonObject(whole)['signature']);
    const { nextUpdate } = readJsonObject(text);
    const dueMs = typeof nextUpdate === 'string' ? Date.parse(nextUpdate) : null;
    return {
      value: { text, signature, chain: readHeaderChain(headers, header) },
      freshForMs: freshForMs(dueMs, Date.now()),
    };
  });
}

function fetchPckCrl(cache: DocumentCache, url: string): Promise<{ list: string; chain: string[] }> {
  return cache.get(url, async () => {
    const { body, headers } = await fetchDocument(new URL(url), listLimit);
    const value = { list: readDerDocument(body), chain: readHeaderChain(headers, 'sgx-pck-crl-issuer-chain') };
    return { value, freshForMs: freshForMs(readNextUpdateMs(body), Date.now()) };
  });
}

function fetchRootCrl(cache: DocumentCache, url: string): Promise<string> {
  return cache.get(url, async () => {
    const { body } = await fetchDocument(new URL(url), listLimit);
    return { value: readDerDocument(body), freshForMs: freshForMs(readNextUpdateMs(body), Date.now()) };
  });
}
