import {
  encodeVerificationDocument,
  makeVerificationDocument,
} from '../../../crypto/evidence/verification-document.ts';
import { verifyEnclave } from '../../../crypto/evidence/verify-enclave.ts';
import type { Attestation } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { ItemContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { decodeUtf8, fromHex, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { labelled, sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { writeProtection } from '../../../crypto/protocol/contents/protection-sentence.ts';
import { encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { encodeItemContent } from '../../../crypto/vault/item-content.ts';
import { developmentPolicy } from '../../parts/evidence/development-policy.ts';
import { seededBytes } from './given/seeded-values.ts';
import turnVectors from '../sotto-v1-turn.json' with { type: 'json' };

const verifiedAtMs = 1_795_000_060_000;

async function makeDocument(minimum: ProtectionLevel): Promise<string> {
  const { evidence, statement, signature, nonce } = turnVectors.keyStatement;
  const answer = {
    format: 1 as const,
    evidence: evidence as Attestation['evidence'],
    statement: toBase64Url(fromHex(statement)),
    signature: toBase64Url(fromHex(signature)),
    publicKeys: turnVectors.enclaveKeys.map(({ publicKey }) => toBase64Url(fromHex(publicKey))),
  };
  const question = {
    nonce: fromHex(nonce),
    model: 'default',
    minimum,
    policy: developmentPolicy,
    nowMs: verifiedAtMs,
  };
  const verdict = await verifyEnclave({ ...question, attestation: answer });
  return encodeVerificationDocument(makeVerificationDocument(question, [{ attestation: answer, verdict }]));
}

function makeContents(document: string): ItemContent[] {
  const id = (label: string) => toBase64Url(seededBytes(`protection ${label}`, 16));
  const verification = {
    type: 'verification',
    format: 2,
    verifiedAtMs,
    kind: 'development',
    level: 'any',
    model: turnVectors.keyStatement.value.model,
    measurement: null,
    release: null,
    document,
  } as const;
  return [
    {
      type: 'conversation',
      format: 1,
      createdAtMs: 1_795_000_000_000,
      title: { value: 'A title', setAtMs: 1_795_000_000_000 },
      cacheSalt: toBase64Url(seededBytes('protection cache salt', 32)),
      minimumProtection: { value: 'stated', setAtMs: 1_795_000_000_001 },
    },
    {
      type: 'message',
      format: 1,
      conversationId: id('conversation'),
      parentId: null,
      createdAtMs: 1_795_000_000_000,
      text: 'In a low voice?',
      turnId: id('turn'),
      turnKey: toBase64Url(seededBytes('protection turn key', 32)),
      replyItemId: id('reply'),
      verificationItemId: id('verification'),
    },
    {
      type: 'settings',
      format: 1,
      theme: { value: 'dark', setAtMs: 1 },
      minimumProtection: { value: 'hardware-gpu', setAtMs: 2 },
    },
    verification,
    {
      ...verification,
      turnId: id('turn'),
      kind: 'sev-snp',
      level: 'hardware',
      measurement: '5a'.repeat(48),
      release: '1.0.0',
    },
  ];
}

/** The same document with other members, as anybody who can count a digest could write it. */
function forge(text: string, change: (document: JsonDocument) => object): string {
  const { digest: _digest, ...rest } = JSON.parse(text) as JsonDocument;
  const changed = { ...rest, ...change(rest) };
  const digest = toBase64Url(sha256(labelled('sotto/v1/verification', encodeCanonicalJson(changed))));
  return decodeUtf8(encodeCanonicalJson({ ...changed, digest }));
}

type JsonDocument = { enclaves: { answer: object; result: { steps: JsonStep[] } }[]; [name: string]: unknown };
type JsonStep = { check: string; result: string; detail: string; values: object };

/** Its last step is another one. */
function withLastStep(text: string, step: Partial<JsonStep> & Record<string, unknown>): string {
  return forge(text, ({ enclaves }) => ({
    enclaves: enclaves.map(({ answer, result }) => ({
      answer,
      result: { ...result, steps: result.steps.with(-1, { ...result.steps.at(-1)!, ...step }) },
    })),
  }));
}

const laterStep = {
  check: 'a-later-check',
  detail: 'a-later-result',
  values: { count: 3, names: ['a', 'b'], none: null },
};

/** Each stands as near as it can to what a reader takes. */
function refusedDocuments(text: string) {
  const malformed = (name: string, changed: string) => ({ name, text: changed, result: 'malformed' });
  const later = forge(text, () => ({ format: 'sotto-verification-3' }));
  return [
    { name: 'a later format', text: later, result: 'unsupported-version' },
    malformed(
      'no format',
      forge(text, () => ({ format: 'sotto-verification-0' })),
    ),
    malformed('the words of format 1', withLastStep(text, { name: 'Hardware' })),
    malformed('a value too many', withLastStep(text, { detail: 'no-minimum', values: { count: 1 } })),
    malformed('a value too few', withLastStep(text, { detail: 'runs-model', values: {} })),
    malformed('another sort of value', withLastStep(text, { detail: 'runs-model', values: { model: 1 } })),
    malformed('a check that is no code', withLastStep(text, { check: 'Your minimum' })),
    malformed('a value that is no code’s', withLastStep(text, { ...laterStep, values: { deep: { a: 1 } } })),
    malformed('a number below zero', withLastStep(text, { ...laterStep, values: { count: -1 } })),
    malformed('a result that is none', withLastStep(text, { result: 'passed' })),
  ];
}

/** Protection sentences, and texts that are none. */
function makeProtections() {
  const claims = [
    { kind: 'development', level: 'any', release: null },
    { kind: 'modal', level: 'stated', release: null },
    { kind: 'sev-snp', level: 'hardware', release: '1.0.0' },
    { kind: 'sev-snp', level: 'hardware-gpu', release: '1.0.0-rc.1+2' },
    { kind: 'tdx', level: 'hardware', release: '2.1' },
    { kind: 'tdx', level: 'hardware-gpu', release: '2.1' },
  ] as const;
  const [, , , hardware = ''] = claims.map(writeProtection);
  const others = [
    'No protection from whoever runs this machine',
    hardware.replace('1.0.0-rc.1+2 is', '1.0.1 is'),
    hardware.replace('AMD', 'ARM'),
    `${hardware} `,
    hardware.replaceAll('1.0.0-rc.1+2', '-1'),
  ];
  return [
    ...claims.map((claim) => ({ sentence: writeProtection(claim), claim })),
    ...others.map((sentence) => ({ sentence, claim: null })),
  ];
}

/** The frozen vectors of minimums, verifications and protection sentences in SPEC.md §5.1, and of §9.10 and §9.11. */
export async function makeDocumentVectors() {
  const documents = [
    { name: 'accepted', minimum: 'any', holds: true },
    { name: 'refused for its minimum', minimum: 'hardware', holds: false },
  ] as const;
  const made = await Promise.all(
    documents.map(async (entry) => ({ ...entry, text: await makeDocument(entry.minimum) })),
  );
  const accepted = made[0]?.text ?? '';
  // Its writer may know more than this build; that it is read does not say that it holds.
  const ofLater = {
    name: 'a step of a later build',
    minimum: 'any',
    holds: false,
    text: withLastStep(accepted, laterStep),
  };
  return {
    about:
      'Frozen vectors of crypto/SPEC.md §5.1, §9.10 and §9.11; bytes are lower-case hex. Made by `npm run vectors`.',
    contents: makeContents(accepted).map((json) => ({ json, content: toHex(encodeItemContent(json)) })),
    documents: [...made, ofLater],
    refusedDocuments: refusedDocuments(accepted),
    protections: makeProtections(),
    policy: developmentPolicy,
  };
}
