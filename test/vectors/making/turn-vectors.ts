import { createDevelopmentEvidence } from '../../../crypto/evidence/development.ts';
import { signKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import { digestEvidence } from '../../../crypto/evidence/evidence-digest.ts';
import type { KeyStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { closeReasons, encodeLiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import type { ReplyNote } from '../../../crypto/protocol/contents/reply-note.ts';
import type { PlainContent, ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';
import type { FrameClass, RequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { concat, encodeUtf8, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { sodium } from '../../../crypto/primitives/sodium.ts';
import { frameCapacity, framesToSendAfterEnd, transcriptRung } from '../../../crypto/turn/reply-frame.ts';
import {
  encodeEndRecord,
  encodeNoteRecord,
  encodeTextRecord,
  encodeTitleRecord,
} from '../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../crypto/turn/reply-sealer.ts';
import { hashRequest, type SealedRequest, sealRequest } from '../../../crypto/turn/sealed-request.ts';
import { deriveStopToken } from '../../../crypto/turn/turn-key.ts';
import { ed25519 } from '@noble/curves/ed25519.js';
import { seededBytes } from './given/seeded-values.ts';
import { withDeterministicRandom } from './given/deterministic-random.ts';

const enclaveSeeds = ['enclave key 1', 'enclave key 2'].map((name) => seededBytes(name, 32));
const turnKeyBytes = () => seededBytes('turn key', 32);
const turnKey = () => new Secret('TurnKey', turnKeyBytes());
const turnId = seededBytes('turn id', 16);

function enclaveKeys() {
  return enclaveSeeds.map((seed) => {
    const publicKey = sodium().crypto_kem_xwing_seed_keypair(seed).publicKey;
    return { secretKey: seed, publicKey, keyId: keyIdOf(publicKey) };
  });
}

function requestHeader(changes: Partial<RequestHeader> = {}): RequestHeader {
  return { turnId, model: 'Qwen/Qwen3.5-9B', frameClass: 'chat', expiresAtMs: 1_795_000_300_000, ...changes };
}

function requestContent(changes: Partial<PlainContent> = {}): PlainContent {
  return {
    format: 1,
    turnKey: toBase64Url(turnKeyBytes()),
    evidenceDigest: toBase64Url(seededBytes('evidence digest', 32)),
    cacheSalt: toBase64Url(seededBytes('cache salt', 32)),
    messages: [
      { role: 'system', text: 'Answer in a low voice.' },
      { role: 'user', text: 'Was heißt „sotto voce“? 🤫' },
    ],
    parameters: {},
    ...changes,
  };
}

async function makeRequests() {
  const keys = enclaveKeys();
  const plans = [
    { name: 'one recipient', keys: keys.slice(0, 1), header: requestHeader(), content: requestContent() },
    {
      name: 'two recipients, parameters, above one size class',
      keys,
      header: requestHeader({ frameClass: 'fast', model: 'm' }),
      content: requestContent({
        messages: [{ role: 'user', text: 'low '.repeat(300) }],
        parameters: { temperature: 0.25, topP: 1, maximumTokens: 512, reasoning: false },
      }),
    },
  ];
  const made = [];
  for (const plan of plans) {
    // Everything random is drawn before the first await.
    const request = await withDeterministicRandom(`sotto-v1-turn ${plan.name}`, () =>
      sealRequest({ ...plan, recipients: plan.keys.map(({ publicKey }) => publicKey) }),
    );
    made.push({
      name: plan.name,
      header: { ...plan.header, turnId: toHex(plan.header.turnId) },
      content: plan.content,
      contentBytes: toHex(encodeCanonicalJson(plan.content)),
      sealed: requestInHex(request),
      requestHash: toHex(hashRequest(request)),
    });
  }
  return { enclaveKeys: keys.map(keyInHex), requests: made };
}

function requestInHex({ header, body, recipients }: SealedRequest) {
  return {
    header: toHex(header),
    body: toHex(body),
    recipients: recipients.map(({ keyId, encapsulation, wrappedKey }) => ({
      keyId: toHex(keyId),
      encapsulation: toHex(encapsulation),
      wrappedKey: toHex(wrappedKey),
    })),
  };
}

function keyInHex({ secretKey, publicKey, keyId }: ReturnType<typeof enclaveKeys>[number]) {
  return { secretKey: toHex(secretKey), publicKey: toHex(publicKey), keyId: toHex(keyId) };
}

const end: ReplyEnd = {
  outcome: 'complete',
  code: null,
  usage: { promptTokens: 12, replyTokens: 34 },
  model: 'Qwen/Qwen3.5-9B',
  engine: 'openai',
};

function makeReply(
  name: string,
  frameClass: FrameClass,
  records: readonly Bytes[],
  text: string,
  reasoning: string,
  notes: readonly ReplyNote[] = [],
) {
  const keyId = keyIdOf(enclaveKeys()[0]!.publicKey);
  const requestHash = seededBytes('request hash', 32);
  return withDeterministicRandom(`sotto-v1-turn ${name}`, () => {
    const sealer = new ReplySealer({ turnKey: turnKey(), frameClass, turnId, keyId, requestHash });
    const stream = concat(...records);
    const capacity = frameCapacity(frameClass);
    const frames = [];
    for (let i = 0; i < stream.length; i += capacity) frames.push(sealer.sealFrame(stream.subarray(i, i + capacity)));
    const dummies = framesToSendAfterEnd(frameClass, sealer.nextNumber);
    for (let i = 0; i < dummies; i += 1) frames.push(sealer.sealFrame(new Uint8Array(0)));
    frames.push(sealer.sealFinal());
    return {
      name,
      frameClass,
      turnKey: toHex(turnKeyBytes()),
      turnId: toHex(turnId),
      requestHash: toHex(requestHash),
      header: toHex(sealer.header),
      frames: frames.map((frame) => toHex(frame)),
      text,
      reasoning,
      notes,
      end,
    };
  });
}

const notes: readonly ReplyNote[] = [
  { kind: 'cause', cause: 'model-loading' },
  { kind: 'left-out', messages: 12 },
  { kind: 'text-was-reasoning' },
];

function makeReplies() {
  const text = (words: string) => encodeTextRecord('text', encodeUtf8(words));
  const whisper = encodeUtf8('🤫');
  const long = 'In a low voice — sotto voce. '.repeat(40);
  return [
    makeReply(
      'reasoning, text, title and END in the first frames',
      'chat',
      [
        encodeTextRecord('reasoning', encodeUtf8('Italian.')),
        text('In a low '),
        text('voice '),
        encodeTextRecord('text', whisper.subarray(0, 3)),
        encodeTextRecord('text', whisper.subarray(3)),
        encodeTitleRecord('Sotto voce'),
        encodeEndRecord(end),
      ],
      'In a low voice 🤫',
      'Italian.',
    ),
    makeReply('one record over several frames', 'chat', [text(long), encodeEndRecord(end)], long, ''),
    makeReply('in bulk', 'bulk', [text(long), encodeEndRecord(end)], long, ''),
    makeReply(
      'notes between the words',
      'chat',
      [
        ...notes.slice(0, 2).map((note) => encodeNoteRecord(note)),
        text('A voice.'),
        ...notes.slice(2).map((note) => encodeNoteRecord(note)),
        text('Low.'),
        encodeEndRecord(end),
      ],
      'A voice.Low.',
      '',
      notes,
    ),
  ];
}

function makeKeyStatement() {
  const identitySeed = seededBytes('identity key', 32);
  const identityPublicKey = ed25519.getPublicKey(identitySeed);
  const nonce = seededBytes('client nonce', 32);
  const statement: KeyStatement = {
    format: 1,
    nonce: toBase64Url(nonce),
    issuedAtMs: 1_795_000_000_000,
    keys: enclaveKeys().map(({ keyId }, index) => ({
      keyId: toBase64Url(keyId),
      notAfterMs: 1_795_007_200_000 - index * 3_600_000,
    })),
    model: 'Qwen3.5-0.8B-Q4_K_M',
    weightsDigest: toBase64Url(seededBytes('weights', 32)),
    engine: 'gguf',
  };
  const signed = signKeyStatement({ identitySecretKey: new Secret('IdentityKey', identitySeed.slice()), statement });
  const evidence = [createDevelopmentEvidence(identityPublicKey)];
  const encoded = { statement: toBase64Url(signed.statement), signature: toBase64Url(signed.signature) };
  return {
    identitySeed: toHex(identitySeed),
    identityPublicKey: toHex(identityPublicKey),
    nonce: toHex(nonce),
    value: statement,
    statement: toHex(signed.statement),
    signature: toHex(signed.signature),
    evidence,
    evidenceDigest: toHex(digestEvidence({ evidence, ...encoded })),
  };
}

function makeLiveRecords(replies: ReturnType<typeof makeReplies>) {
  const transcriptId = seededBytes('transcript id', 16);
  const ids = { turnId, transcriptId };
  const bodies = { header: seededBytes('header payload', 131), frame: seededBytes('frame payload', 272) };
  const records = [
    { kind: 'header', number: 0, body: bodies.header, ...ids },
    { kind: 'frame', number: 258, body: bodies.frame, ...ids },
    { kind: 'closed', number: replies[0]!.frames.length, body: Uint8Array.of(closeReasons.final), ...ids },
    { kind: 'closed', number: 0, body: Uint8Array.of(closeReasons.gone), ...ids },
    { kind: 'closed', number: 7, body: Uint8Array.of(closeReasons.lost), ...ids },
    { kind: 'heartbeat' },
    { kind: 'newer' },
    { kind: 'stream', body: seededBytes('stream id', 16) },
    { kind: 'started', turnId },
  ] as const;
  return records.map((record) => ({
    kind: record.kind,
    turnId: toHex('turnId' in record ? record.turnId : new Uint8Array(16)),
    transcriptId: toHex('transcriptId' in record ? record.transcriptId : new Uint8Array(16)),
    number: 'number' in record ? record.number : 0,
    body: toHex('body' in record ? record.body : new Uint8Array(0)),
    bytes: toHex(encodeLiveRecord(record)),
  }));
}

/** The frozen vectors of SPEC.md §7 to §10. Needs `aeadReady()`. */
export async function makeTurnVectors() {
  const replies = makeReplies();
  return {
    about: 'Frozen vectors of crypto/SPEC.md §7 to §10; bytes are lower-case hex. Made by `npm run vectors`.',
    ...(await makeRequests()),
    stopToken: {
      turnKey: toHex(turnKeyBytes()),
      turnId: toHex(turnId),
      stopToken: toHex(deriveStopToken({ turnKey: turnKey(), turnId })),
    },
    replies,
    rungs: (['chat', 'fast', 'bulk'] as const).map((frameClass) => ({
      frameClass,
      totals: [1, 2, 3, 31, 32, 33, 64, 65, 100, 1000, 1024, 1025, 5000].map((needed) => ({
        needed,
        total: transcriptRung(frameClass, needed),
      })),
    })),
    keyStatement: makeKeyStatement(),
    liveRecords: makeLiveRecords(replies),
  };
}
