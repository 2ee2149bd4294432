import { encodeVerificationDocument, makeVerificationDocument } from '../../crypto/evidence/verification-document.ts';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import type { EnclaveEvidence } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { ProtectionLevel } from '../../crypto/protocol/protection-level.ts';
import type { ItemContent } from '../../crypto/protocol/contents/item-contents.ts';
import { fromHex, toBase64Url, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { encodeItemContent } from '../../crypto/vault/item-content.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import { seededBytes } from './account-vectors.ts';
import turnVectors from './sotto-v1-turn.json' with { type: 'json' };

const verifiedAtMs = 1_795_000_060_000;

async function makeDocument(minimum: ProtectionLevel): Promise<string> {
  const { evidence, statement, signature, nonce } = turnVectors.keyStatement;
  const answer = {
    format: 1 as const,
    evidence: evidence as EnclaveEvidence['evidence'],
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
  const verdict = await verifyEnclave({ ...question, answer });
  return encodeVerificationDocument(makeVerificationDocument(question, [{ answer, verdict }]));
}

function makeContents(document: string): ItemContent[] {
  const id = (label: string) => toBase64Url(seededBytes(`protection ${label}`, 16));
  const verification = {
    type: 'verification',
    format: 1,
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

/** The frozen vectors of minimums and verifications in SPEC.md §5.1, and of §9.10, under a policy of format 3. */
export async function makeDocumentVectors() {
  const documents = [
    { name: 'accepted', minimum: 'any', holds: true },
    { name: 'refused for its minimum', minimum: 'hardware', holds: false },
  ] as const;
  const made = await Promise.all(
    documents.map(async (entry) => ({ ...entry, text: await makeDocument(entry.minimum) })),
  );
  return {
    about: 'Frozen vectors of crypto/SPEC.md §5.1 and §9.10; bytes are lower-case hex. Made by `npm run vectors`.',
    contents: makeContents(made[0]?.text ?? '').map((json) => ({ json, content: toHex(encodeItemContent(json)) })),
    documents: made,
    policy: developmentPolicy,
  };
}
