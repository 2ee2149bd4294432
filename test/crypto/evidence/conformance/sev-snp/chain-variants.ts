import type { SnpFaults } from '../../../../parts/evidence/amd/amd-machine.ts';
import {
  caExtensions,
  certificateDigest,
  extension,
  makeCertificate,
  publicKeyPoint,
  pssIdentifier,
  testNowMs,
  yearMs,
} from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { bitString, boolean, octetString, sequence } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  bothAlgorithms,
  change,
  cut,
  extend,
  flip,
  machine,
  milan,
  type Refusal,
  sibling,
  strangers,
  text,
  type Variant,
} from './sev-snp-bench.ts';

const ark = (request: NonNullable<SnpFaults['ark']>): Variant => {
  const root = makeCertificate({
    subject: 'ARK-Genoa',
    keys: machine.authority.ark,
    extensions: caExtensions(),
    ...request,
  });
  return { policy: { roots: [certificateDigest(root)] }, collateral: (all) => ({ ...all, ark: text(root) }) };
};

const critical = extension('1.2.3.4', true, octetString());
/** Faults between the chip's key and AMD's root. */
export const chains: readonly Refusal[] = [
  ['a root that is not of AMD', 'untrusted-root', { policy: { roots: null } }],
  ['a root that the policy does not name', 'untrusted-root', { policy: { roots: [milan.rootDigest] } }],
  ['a root of the same name with another key', 'untrusted-root', { ark: { keys: strangers.rsa } }],
  [
    'a root with a flipped signature',
    'untrusted-root',
    { collateral: change('ark', (der) => flip(der.length - 1)(der)) },
  ],
  ['root and ASK changed over', 'untrusted-root', { collateral: (all) => ({ ...all, ask: all.ark, ark: all.ask }) }],
  ['the ASK in place of the root', 'untrusted-root', { collateral: (all) => ({ ...all, ark: all.ask }) }],
  ['a root that its own key did not sign', 'chain', ark({ signer: strangers.rsa })],
  ['a root that is no authority', 'chain', ark({ extensions: caExtensions().slice(1) })],
  ['a root without key usage', 'chain', ark({ extensions: caExtensions().slice(0, 1) })],
  ['a root that allows no authority below it', 'chain', ark({ extensions: caExtensions(0) })],
  ['a root with a critical extension that is not known', 'chain', ark({ extensions: [...caExtensions(), critical] })],
  ['a root that has expired', 'expired', ark({ notAfter: testNowMs - 1000 })],
  ['a root that is not valid yet', 'not-yet-valid', ark({ notBefore: testNowMs + 1000 })],
  ['an ASK of another root', 'chain', { ask: { signer: strangers.rsa } }],
  ['an ASK that names another issuer', 'chain', { ask: { issuer: 'ARK-Milan' } }],
  ['an ASK with a flipped signature', 'chain', { collateral: change('ask', (der) => flip(der.length - 1)(der)) }],
  ['an ASK that is no authority', 'chain', { ask: { extensions: caExtensions(0).slice(1) } }],
  ['an ASK without key usage', 'chain', { ask: { extensions: caExtensions(0).slice(0, 1) } }],
  [
    'an ASK that may only sign revocation lists',
    'chain',
    { ask: { extensions: [caExtensions(0)[0]!, extension('2.5.29.15', true, bitString(Uint8Array.of(2), 1))] } },
  ],
  [
    'an ASK with a critical extension that is not known',
    'chain',
    { ask: { extensions: [...caExtensions(0), critical] } },
  ],
  ['an ASK of version 1', 'malformed', { ask: { fault: { fields: ([, ...fields]) => fields.slice(0, -1) } } }],
  ['an ASK signed with a salt of 32', 'chain', { ask: { fault: { saltLength: 32 } } }],
  [
    'an ASK that says a salt of 32',
    'chain',
    { ask: { fault: { saltLength: 32, ...bothAlgorithms(pssIdentifier({ saltLength: 32 })) } } },
  ],
  [
    'an ASK with two algorithms',
    'malformed',
    { ask: { fault: { outerAlgorithm: pssIdentifier({ withTrailer: false }) } } },
  ],
  ['an ASK that has expired', 'expired', { ask: { notAfter: testNowMs - 1000 } }],
  ['an ASK that is not valid yet', 'not-yet-valid', { ask: { notBefore: testNowMs + 1000 } }],
  ['an ASK of shared machines (VLEK)', 'chain', asNamed('SEV-VLEK-Genoa')],
  ['an ASK of another product, under this root', 'chain', asNamed('SEV-Milan')],
  ['the ASK in place of the VCEK', 'malformed', { collateral: (all) => ({ ...all, vcek: all.ask }) }],
  ['a VCEK of another ASK', 'chain', { vcek: { signer: strangers.rsa } }],
  ['a VCEK signed by the root itself', 'chain', { vcek: { signer: machine.authority.ark } }],
  ['a VCEK signed by the chip itself', 'chain', { vcek: { signer: machine.chipKeys } }],
  ['a VCEK that names another issuer', 'chain', { vcek: { issuer: 'SEV-Milan' } }],
  ['a VCEK with a flipped signature', 'chain', { collateral: change('vcek', (der) => flip(der.length - 1)(der)) }],
  [
    'a VCEK with a flipped key',
    'chain',
    { collateral: change('vcek', (der) => flip(Buffer.from(der).indexOf(publicKeyPoint(machine.chipKeys)) + 9)(der)) },
  ],
  ['a VCEK that has expired', 'expired', { vcek: { notAfter: testNowMs - 1000 } }],
  ['a VCEK that is not valid yet', 'not-yet-valid', { vcek: { notBefore: testNowMs + 1000 } }],
  ['a client whose clock is years ahead', 'expired', { nowMs: testNowMs + 2 * yearMs }],
  ['a client whose clock is years behind', 'not-yet-valid', { nowMs: testNowMs - 2 * yearMs }],
  ['a VCEK with the name of a VLEK', 'chain', { vcek: { subject: 'SEV-VLEK' } }],
  ['a VCEK for another key', 'signature', { vcek: { keys: strangers.p384 } }],
  ['a VCEK for a key of another curve', 'signature', { vcek: { keys: strangers.p256 } }],
  ['a VCEK for an RSA key', 'signature', { vcek: { keys: strangers.rsa } }],
  [
    'the VCEK of the chip next door',
    'signature',
    { collateral: (all) => ({ ...all, vcek: text(sibling.certificates.vcek) }) },
  ],
  ['a VCEK that is cut', 'malformed', { collateral: change('vcek', cut) }],
  ['a VCEK with a byte behind it', 'malformed', { collateral: change('vcek', extend) }],
  ['an ASK with a byte behind it', 'malformed', { collateral: change('ask', extend) }],
  ['a root with a byte behind it', 'malformed', { collateral: change('ark', extend) }],
  ['a VCEK in PEM', 'malformed', { collateral: change('vcek', (der) => Buffer.from(`-----BEGIN ${text(der)}`)) }],
  ['no VCEK', 'malformed', { collateral: (all) => ({ ...all, vcek: '' }) }],
  ['a VCEK that is not base64url', 'malformed', { collateral: (all) => ({ ...all, vcek: `${all.vcek}=` }) }],
];

function asNamed(subject: string): Variant {
  return { ask: { subject }, vcek: { issuer: subject } };
}

/** Faults in the list of what AMD has revoked. */
const issuer = 'ARK-Genoa';
export const lists: readonly Refusal[] = [
  ['an ASK that has been revoked', 'revoked', { revocationList: { revoked: [7, 65_537] } }],
  [
    'a VCEK that has been revoked',
    'revoked',
    { revocationList: { issuer: 'SEV-Genoa', signer: machine.authority.ask, revoked: [0] } },
  ],
  ['a revocation list of another issuer', 'chain', { revocationList: { issuer: 'ARK-Milan' } }],
  ['a revocation list of another key', 'signature', { revocationList: { issuer, signer: strangers.rsa } }],
  ['a revocation list that is over', 'outdated-collateral', { revocationList: { nextUpdate: testNowMs - 1000 } }],
  ['a revocation list of the future', 'not-yet-valid', { revocationList: { thisUpdate: testNowMs + 1000 } }],
  [
    'a partial revocation list',
    'malformed',
    { revocationList: { extensions: [extension('2.5.29.28', true, sequence(boolean(true)))] } },
  ],
  ['a revocation list of version 1', 'malformed', { revocationList: { fault: { fields: ([, ...rest]) => rest } } }],
  ['a revocation list that never ends', 'malformed', { revocationList: { fault: { fields: withoutNextUpdate } } }],
  ['a revocation list that is cut', 'malformed', { revocationList: {}, collateral: change('revocationList', cut) }],
  [
    'a revocation list with a byte behind it',
    'malformed',
    { revocationList: {}, collateral: change('revocationList', extend) },
  ],
  ['a certificate as revocation list', 'malformed', { collateral: (all) => ({ ...all, revocationList: all.ark }) }],
];

function withoutNextUpdate(fields: readonly Uint8Array<ArrayBuffer>[]) {
  return fields.filter((_, index) => index !== 4);
}
