import { publicKeyOf } from '../../../crypto/evidence/modal/ed25519.ts';
import { hashLogLeaf } from '../../../crypto/evidence/modal/inclusion-proof.ts';
import { signCheckpoint } from '../../../crypto/evidence/modal/checkpoint.ts';
import { signPossession } from '../../../crypto/evidence/modal/possession.ts';
import { encodeLogEntry, signRegistrarStatement } from '../../../crypto/evidence/modal/registrar-statement.ts';
import type { ModalPolicy } from '../../../crypto/evidence/policy/policy.ts';
import type { ModalEvidence, RegistrarStatement } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { type Bytes, randomBytes, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { auditPath, treeHash } from '../../parts/evidence/modal/paper-log.ts';
import { withDeterministicRandom } from './given/deterministic-random.ts';

const origin = 'registrar.example.com/log-1';
const issuedAtMs = 1_795_000_000_000;
const hourMs = 3_600_000;
const skewMs = 300_000;
const ids = {
  workspaceId: 'ac-12345abcd',
  environmentId: 'en-12345abcd',
  appId: 'ap-12345abcd',
  functionId: 'fu-12345abcd',
};

type Keys = { readonly seed: Bytes; readonly publicKey: Bytes };
function makeKeys(): Keys {
  const seed = randomBytes(32);
  return { seed, publicKey: publicKeyOf(seed) };
}

function makePossession(kind: 'register' | 'renew', identityToken: string | null) {
  const { seed, publicKey } = makeKeys();
  const challenge = randomBytes(32);
  const purpose = kind === 'register' ? { kind, identityToken: identityToken ?? '' } : { kind };
  const signature = signPossession({ identitySecretKey: new Secret('IdentityKey', seed), challenge, purpose });
  return {
    identitySeed: toHex(seed),
    identityPublicKey: toHex(publicKey),
    challenge: toHex(challenge),
    kind,
    identityToken,
    signature: toHex(signature),
  };
}

function makeStatement(keys: Keys, changes: Partial<RegistrarStatement> = {}) {
  const value: RegistrarStatement = {
    format: 1,
    platform: 'modal',
    identityPublicKey: toBase64Url(randomBytes(32)),
    ...ids,
    containerId: 'ta-12345abcd',
    issuedAtMs,
    notAfterMs: issuedAtMs + hourMs,
    ...changes,
  };
  const signed = signRegistrarStatement(new Secret('RegistrarStatementKey', keys.seed), value);
  const entry = encodeLogEntry(signed);
  return { value, ...signed, entry, leafHash: hashLogLeaf(entry) };
}

function makeTree(size: number) {
  const leaves = Array.from({ length: size }, () => hashLogLeaf(randomBytes(3)));
  return {
    leafHashes: leaves.map((leaf) => toHex(leaf)),
    rootHash: toHex(treeHash(leaves)),
    proofs: leaves.map((_, place) => auditPath(place, leaves).map((hash) => toHex(hash))),
  };
}

type Case = {
  readonly name: string;
  readonly result: string;
  readonly piece?: Partial<ModalEvidence>;
  readonly policy?: Partial<ModalPolicy>;
  readonly enclaveMs?: number;
  readonly clientMs?: number;
  readonly maximumAgeMs?: number;
};

function makeLog() {
  const [statementKeys, logKeys] = [makeKeys(), makeKeys()];
  const statements = [makeStatement(statementKeys), makeStatement(statementKeys), makeStatement(statementKeys)];
  const leaves = statements.map(({ leafHash }) => leafHash);
  const log = { secretKey: new Secret('LogKey', logKeys.seed), publicKey: logKeys.publicKey };
  const checkpointOf = (size: number) =>
    signCheckpoint({ origin, size, rootHash: new Uint8Array(treeHash(leaves.slice(0, size))) }, log);
  const pieceOf = (place: number): ModalEvidence => ({
    kind: 'modal',
    identityPublicKey: statements[place]?.value.identityPublicKey ?? '',
    statement: toBase64Url(statements[place]?.statement ?? new Uint8Array(0)),
    signature: toBase64Url(statements[place]?.signature ?? new Uint8Array(0)),
    checkpoint: checkpointOf(3),
    leafIndex: place,
    inclusionProof: auditPath(place, leaves).map((hash) => toBase64Url(hash)),
  });
  const policy: ModalPolicy = {
    registrarPublicKey: toBase64Url(statementKeys.publicKey),
    logOrigin: origin,
    logPublicKey: toBase64Url(logKeys.publicKey),
    ...ids,
  };
  const cases = casesOf(pieceOf, checkpointOf).map(({ name, result, ...changes }) => ({
    name,
    piece: { ...pieceOf(1), ...changes.piece },
    policy: { ...policy, ...changes.policy },
    maximumAgeMs: changes.maximumAgeMs ?? hourMs,
    enclaveMs: changes.enclaveMs ?? issuedAtMs,
    clientMs: changes.clientMs ?? issuedAtMs,
    result,
  }));
  return {
    statementSeed: toHex(statementKeys.seed),
    logSeed: toHex(logKeys.seed),
    statements: statements.map(({ value, statement, signature, entry, leafHash }) => ({
      value,
      statement: toHex(statement),
      signature: toHex(signature),
      entry: toHex(entry),
      leafHash: toHex(leafHash),
    })),
    checkpoints: [0, 1, 2, 3].map(checkpointOf),
    cases,
  };
}

function casesOf(pieceOf: (place: number) => ModalEvidence, checkpointOf: (size: number) => string): Case[] {
  const endMs = issuedAtMs + hourMs;
  const [first, third] = [pieceOf(0), pieceOf(2)];
  const unsigned = pieceOf(1).checkpoint.split('\n\n')[0] ?? '';
  return [
    { name: 'in the middle of the log', result: 'accepted' },
    { name: 'first of the log', result: 'accepted', piece: first },
    { name: 'last of the log', result: 'accepted', piece: third },
    {
      name: 'the latest moment of both clocks',
      result: 'accepted',
      enclaveMs: endMs + skewMs,
      clientMs: endMs + skewMs,
    },
    {
      name: 'the earliest moment of both clocks',
      result: 'accepted',
      enclaveMs: issuedAtMs - skewMs,
      clientMs: issuedAtMs - skewMs,
    },
    { name: 'a millisecond later for the client', result: 'too-old', clientMs: endMs + skewMs + 1 },
    { name: 'a millisecond later for the enclave', result: 'too-old', enclaveMs: endMs + skewMs + 1 },
    { name: 'a millisecond earlier for the client', result: 'not-yet-valid', clientMs: issuedAtMs - skewMs - 1 },
    { name: 'a millisecond earlier for the enclave', result: 'not-yet-valid', enclaveMs: issuedAtMs - skewMs - 1 },
    { name: 'a policy that takes a millisecond less', result: 'too-old', maximumAgeMs: hourMs - 1 },
    {
      name: "another's statement",
      result: 'identity-mismatch',
      piece: { ...first, identityPublicKey: pieceOf(1).identityPublicKey },
    },
    { name: "another's signature", result: 'signature', piece: { signature: first.signature } },
    {
      name: 'another registrar',
      result: 'signature',
      policy: { registrarPublicKey: toBase64Url(makeKeys().publicKey) },
    },
    { name: 'another workspace', result: 'wrong-deployment', policy: { workspaceId: 'ac-other' } },
    { name: 'another environment', result: 'wrong-deployment', policy: { environmentId: 'en-other' } },
    { name: 'another app', result: 'wrong-deployment', policy: { appId: 'ap-other' } },
    { name: 'another function', result: 'wrong-deployment', policy: { functionId: 'fu-other' } },
    { name: 'another name of the log', result: 'log', policy: { logOrigin: 'registrar.example.com/log-2' } },
    { name: 'another key of the log', result: 'log', policy: { logPublicKey: toBase64Url(makeKeys().publicKey) } },
    { name: 'an earlier checkpoint', result: 'log', piece: { checkpoint: checkpointOf(2) } },
    { name: 'a checkpoint without signature', result: 'malformed', piece: { checkpoint: `${unsigned}\n` } },
    { name: 'another place', result: 'log', piece: { leafIndex: 2 } },
    { name: 'another proof', result: 'log', piece: { inclusionProof: third.inclusionProof } },
    { name: 'no proof', result: 'log', piece: { inclusionProof: [] } },
  ];
}

/** The frozen vectors of SPEC.md §9.6. */
export function makeModalVectors() {
  return withDeterministicRandom('sotto-v1 modal', () => ({
    about:
      'Frozen vectors of crypto/SPEC.md §9.6; bytes are lower-case hex, in pieces and policies base64url. Made by `npm run vectors`.',
    possessions: [makePossession('register', 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl'), makePossession('renew', null)],
    trees: [0, 1, 2, 3, 7, 8, 9].map(makeTree),
    log: makeLog(),
  }));
}
