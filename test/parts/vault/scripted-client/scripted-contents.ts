import type {
  AssistantMessage,
  ChatMessage,
  EnclaveView,
  RelayView,
  ReplyState,
  UserMessage,
  VerificationView,
} from '../../../../client/vault/api/vault-api.ts';

export const recoveryWords: readonly string[] =
  'abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid acoustic acquire across act action actor actress actual'.split(
    ' ',
  );

export const developmentEnclave: EnclaveView = {
  kind: 'verified',
  evidenceKind: 'development',
  level: 'any',
  measurement: null,
  release: null,
  hasAlternate: false,
  steps: [
    { check: 'freshness', result: 'enforced', detail: 'this-question', values: {} },
    { check: 'signature', result: 'enforced', detail: 'statement-signed', values: {} },
    { check: 'keys', result: 'enforced', detail: 'keys-of-statement', values: {} },
    { check: 'hardware', result: 'not-offered', detail: 'no-hardware', values: {} },
  ],
  model: 'rehearsal',
  engine: 'rehearsal',
  keyFingerprint: '7f3a 91c2 0be4 55d8 e610 2a9c 4471 b08f',
  identityFingerprint: 'c4d1 6e02 98ab 1f77 30e5 b92d 5a48 0cd6',
  verifiedAtMs: Date.UTC(2026, 10, 22, 15, 4, 12),
  status: {
    state: 'ready',
    reason: 'model-downloading',
    next: { model: 'unsloth/Qwen3.5-0.8B-GGUF', receivedBytes: 213_000_000, totalBytes: 532_000_000 },
  },
};

/** Hardware with everything that it can show. */
export const hardwareEnclave: EnclaveView = {
  ...developmentEnclave,
  kind: 'verified',
  evidenceKind: 'sev-snp',
  level: 'hardware-gpu',
  measurement: pseudoRandomHex(41, 48),
  release: { version: '1.4.0', url: 'https://releases.example/sotto/1.4.0' },
  hasAlternate: true,
  model: 'unsloth/Qwen3.5-32B',
  engine: 'openai',
  keyFingerprint: pseudoRandomHex(5, 32),
  identityFingerprint: pseudoRandomHex(6, 32),
  steps: [
    { check: 'policy', result: 'enforced', detail: 'compiled-in', values: {} },
    { check: 'snp-signature', result: 'enforced', detail: 'report-signed', values: {} },
    {
      check: 'measurement',
      result: 'enforced',
      detail: 'measured-release',
      values: { release: '1.4.0', measurement: pseudoRandomHex(41, 48) },
    },
    { check: 'weights', result: 'not-offered', detail: 'weights-not-shown', values: {} },
  ],
  status: { state: 'ready', reason: 'server-given', next: null },
};

/** The same enclave, refused by the person's own minimum alone. */
export const belowMinimum: EnclaveView = {
  kind: 'refused',
  code: 'below-minimum',
  steps: [
    { check: 'policy', result: 'enforced', detail: 'compiled-in', values: {} },
    { check: 'minimum', result: 'failed', detail: 'below-minimum', values: {} },
  ],
  withoutMinimum: { kind: 'development', level: 'any', release: null },
};

/** Shows the document behind a shield as a vault does. */
export function verificationOf(view: EnclaveView): VerificationView | null {
  if (view.kind !== 'verified' && view.kind !== 'refused') return null;
  const unknown = { model: null, measurement: null, release: null, keyFingerprint: null, identityFingerprint: null };
  const enclave =
    view.kind === 'refused'
      ? { claim: null, steps: view.steps, ...unknown }
      : { ...view, claim: { kind: view.evidenceKind, level: view.level, release: view.release?.version ?? null } };
  return {
    verifiedAtMs: Date.UTC(2026, 10, 22, 15, 4, 12),
    minimum: 'any',
    modelAsked: 'default',
    evidenceDigest: pseudoRandomHex(9, 32),
    enclaves: [enclave],
    text: '{"format":1}',
  };
}

export function pseudoRandomHex(seed: number, length: number): string {
  let state = seed * 2_654_435_761 + 1;
  let text = '';
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += (state >>> 24).toString(16).padStart(2, '0');
  }
  return text;
}

export function relayViewOf(messages: readonly ChatMessage[]): RelayView {
  return {
    rows: messages.map((message, index) => ({
      what: message.role === 'user' ? 'item' : 'transcript',
      id: `item-${index}`,
      columns: [
        { name: 'id', value: pseudoRandomHex(index + 5, 16) },
        { name: 'version', value: 1 },
        { name: 'storedAtMs', value: Date.UTC(2026, 10, 22, 15, 4, 12) },
        { name: 'turnId', value: pseudoRandomHex(index + 900, 16) },
        { name: 'length', value: 20_000 },
      ],
      firstBytesHex: `0101000000${pseudoRandomHex(index + 77, 251)}`,
      length: 20_000,
      words: message.text,
      facts: null,
      kindOfWords: message.role === 'user' ? 'question' : 'reply',
    })),
    account: [
      { name: 'accountNumber', value: '184' },
      { name: 'nameHash', value: pseudoRandomHex(3, 32) },
      { name: 'usedBytes', value: 18_432 },
    ],
  };
}

/** A question and its answer, as a vault shows them. */
export function makeTurn(turn: {
  readonly turnId: string;
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly question: string;
  readonly answer: string;
  readonly state: ReplyState;
}): { readonly asked: UserMessage; readonly reply: AssistantMessage } {
  const { turnId, parentId, createdAtMs, question, answer, state } = turn;
  const asked: UserMessage = {
    role: 'user',
    id: `question-${turnId}`,
    parentId,
    createdAtMs,
    text: question,
    turnId,
    stored: true,
    notesBefore: [],
  };
  const reply: AssistantMessage = {
    role: 'assistant',
    id: `answer-${turnId}`,
    parentId: asked.id,
    createdAtMs,
    text: answer,
    reasoning: '',
    turnId,
    state,
    model: state.kind === 'ended' ? 'unsloth/Qwen3.5-0.8B-GGUF' : null,
    engine: null,
    usage: state.kind === 'ended' ? { promptTokens: 40, replyTokens: 212 } : null,
    protection: null,
    leftOut: 0,
    isDocumented: state.kind === 'ended',
    notesAfter: [],
  };
  return { asked, reply };
}
