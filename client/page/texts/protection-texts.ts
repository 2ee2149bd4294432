import type { EnclaveStatus, EngineKind, EngineReason } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type {
  ConversationNote,
  EnclaveView,
  ProtectionFacts,
  ProtectionLevel,
  VerificationStep,
} from '../../vault/api/vault-api.ts';
import { failureSentence } from './failure-texts.ts';
import { refusalText } from './refusal-texts.ts';

/** The one sentence beside the message box. */
export function protectionSentence(view: EnclaveView): string {
  switch (view.kind) {
    case 'idle':
    case 'connecting':
      return 'Connecting to the enclave';
    case 'unreachable':
      return failureSentence(view.failure);
    case 'starting':
      return 'The enclave is starting';
    case 'refused':
      return `Nothing is sent: ${refusalText(view).what}`;
    case 'verified':
      return view.sentence;
  }
}

const engineNames: Record<EngineKind, string> = {
  rehearsal: 'Rehearsal engine',
  gguf: 'Model on this machine',
  openai: 'Model server',
};

const reasonTexts: Record<EngineReason, string> = {
  'chosen-by-setting': 'chosen by the operator',
  'server-given': 'the operator named a model server',
  'model-file-here': 'its file is on the machine',
  'model-downloading': 'no model is loaded yet',
  'model-loading': 'the model is being loaded',
  'download-failed': 'the model could not be downloaded',
  'model-failed': 'the model could not be loaded',
  'server-unreachable': 'the model server cannot be reached',
  'evidence-pending': 'the enclave waits for its evidence',
};

export function engineName(engine: EngineKind): string {
  return engineNames[engine];
}

/** 0 to 1, or null where the end is not known. */
export function loadingProgress(status: EnclaveStatus): number | null {
  const next = status.next;
  if (next === null || next.totalBytes === null || next.totalBytes === 0) return null;
  return Math.min(1, next.receivedBytes / next.totalBytes);
}

/** "40 %", with the space that the number keeps. */
function percentText(progress: number): string {
  return `${Math.floor(progress * 100)}\u00A0%`;
}

/** `unsloth/Qwen3.5-0.8B-GGUF:Q4_K_M` is `Qwen3.5-0.8B-GGUF:Q4_K_M` for a reader. */
export function shortModelName(model: string): string {
  return model.split('/').at(-1) ?? model;
}

/** Nothing can answer before this is over: "Model loading 40 %". */
export function loadingText(view: EnclaveView): string | null {
  if (view.kind !== 'verified' || view.status.state !== 'loading') return null;
  const progress = loadingProgress(view.status);
  return progress === null ? 'Model loading' : `Model loading ${percentText(progress)}`;
}

/** Which engine answers, and why, where that is not simply the model one expects; null when there is nothing to say. */
export function engineText(view: EnclaveView): string | null {
  if (view.kind !== 'verified' || view.status.state === 'loading') return null;
  const { reason, next } = view.status;
  if (view.engine !== 'rehearsal' && next === null) return null;
  const coming = next === null ? '' : `; ${nextModelText(view.status)}`;
  return `${engineNames[view.engine]}: ${reasonTexts[reason]}${coming}`;
}

function nextModelText(status: EnclaveStatus): string {
  const next = status.next;
  if (next === null) return '';
  const doing = status.reason === 'model-loading' ? 'loading' : 'downloading';
  const progress = loadingProgress(status);
  return `${doing} ${shortModelName(next.model)}…${progress === null ? '' : ` ${percentText(progress)}`}`;
}

export function stepResultText(result: VerificationStep['result']): string {
  const names = { enforced: 'Enforced', failed: 'Failed', 'not-offered': 'Not offered' };
  return names[result];
}

const levelNames: Record<ProtectionLevel, string> = {
  any: 'Anything that this client’s policy allows',
  stated: 'At least the operator’s statement (Modal)',
  hardware: 'Hardware that proves what runs',
  'hardware-gpu': 'Hardware, and the GPU too',
};

/** As a choice: what an enclave must offer at least. */
export function levelName(level: ProtectionLevel): string {
  return levelNames[level];
}

const levelPhrases: Record<ProtectionLevel, string> = {
  any: 'anything that the policy allows',
  stated: 'at least the operator’s statement',
  hardware: 'hardware',
  'hardware-gpu': 'hardware and the GPU',
};

/** In the middle of a sentence. */
export function levelPhrase(level: ProtectionLevel): string {
  return levelPhrases[level];
}

const kindNames: Record<string, string> = {
  development: 'no evidence about the machine',
  modal: 'the operator’s statement (Modal)',
  'sev-snp': 'AMD hardware',
  tdx: 'Intel hardware',
};

export function kindName(kind: string): string {
  return kindNames[kind] ?? 'another kind of evidence';
}

const dayText = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });

/** A line between the messages. */
export function noteText(note: ConversationNote): string {
  if (note.kind === 'minimum-set') {
    const what = note.isLower ? 'You lowered the minimum' : 'You set the minimum';
    return `${what} for this conversation to ${levelPhrase(note.level)} on ${dayText.format(note.atMs)}.`;
  }
  return `Another enclave answers from here: ${changeText(note.before, note.after)}.`;
}

/** What differs, each part once. */
export function changeText(before: ProtectionFacts, after: ProtectionFacts): string {
  const parts = [
    before.kind === after.kind && before.level === after.level
      ? null
      : `${protectionName(after)} instead of ${protectionName(before)}`,
    before.release === after.release && before.measurement === after.measurement ? null : releaseText(before, after),
    before.model === after.model
      ? null
      : `model ${shortModelName(after.model)} instead of ${shortModelName(before.model)}`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function protectionName({ kind, level }: ProtectionFacts): string {
  return level === 'hardware-gpu' ? `${kindName(kind)} with a verified GPU` : kindName(kind);
}

function releaseText(before: ProtectionFacts, after: ProtectionFacts): string | null {
  if (after.release !== null && after.release !== before.release) return `release ${after.release}`;
  return after.measurement === null ? null : `measurement ${after.measurement.slice(0, 16)}…`;
}
