import type { EnclaveStatus, EngineKind, EngineReason } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type {
  ConversationNote,
  EnclaveView,
  ProtectionFacts,
  ProtectionClaim,
  ProtectionLevel,
  StoredProtection,
  VerificationStep,
} from '../../../vault/api/vault-api.ts';
import { failureSentence } from './failure-texts.ts';
import { refusalText } from './refusal-texts.ts';
import { say } from '../say.ts';
import { percentText, writeTime } from './time-texts.ts';

/** The one sentence beside the message box. */
export function protectionSentence(view: EnclaveView): string {
  switch (view.kind) {
    case 'idle':
    case 'connecting':
      return say('protection.connecting');
    case 'unreachable':
      return failureSentence(view.failure);
    case 'starting':
      return say('protection.starting');
    case 'refused':
      return say('protection.refused', { what: refusalText(view).what });
    case 'verified':
      return claimText({ ...view, kind: view.evidenceKind, release: view.release?.version ?? null });
  }
}

/** Says in one sentence what vouches for an enclave. */
export function claimText({ kind, level, release }: ProtectionClaim): string {
  if (kind === 'development' || kind === 'modal') return say(`claim.${kind}`);
  const values = { vendor: say(`vendor.${kind}`), release: release ?? '?' };
  return level === 'hardware-gpu' ? say('claim.hardware-gpu', values) : say('claim.hardware', values);
}

/** Says what vouched for the enclave of a stored reply. */
export function storedProtectionText(protection: StoredProtection): string {
  return 'text' in protection ? protection.text : claimText(protection);
}

export function engineName(engine: EngineKind): string {
  return say(`engine.${engine}`);
}

/** 0 to 1, or null where the end is not known. */
export function loadingProgress(status: EnclaveStatus): number | null {
  const next = status.next;
  if (next === null || next.totalBytes === null || next.totalBytes === 0) return null;
  return Math.min(1, next.receivedBytes / next.totalBytes);
}

/** `unsloth/Qwen3.5-0.8B-GGUF:Q4_K_M` is `Qwen3.5-0.8B-GGUF:Q4_K_M` for a reader. */
export function shortModelName(model: string): string {
  return model.split('/').at(-1) ?? model;
}

/** Nothing can answer before this is over: "Model loading 40 %". */
export function loadingText(view: EnclaveView): string | null {
  if (view.kind !== 'verified' || view.status.state !== 'loading') return null;
  const progress = loadingProgress(view.status);
  return progress === null ? say('engine.loading') : say('engine.loading-part', { percent: percentText(progress) });
}

/** Which engine answers, and why, where that is not simply the model one expects; null when there is nothing to say. */
export function engineText(view: EnclaveView): string | null {
  if (view.kind !== 'verified' || view.status.state === 'loading') return null;
  const { reason, next } = view.status;
  if (view.engine !== 'rehearsal' && next === null) return null;
  const named = { engine: engineName(view.engine), reason: reasonText(reason) };
  return next === null
    ? say('engine.because', named)
    : say('engine.then', { ...named, coming: comingText(view.status, next.model) });
}

function reasonText(reason: EngineReason): string {
  return say(`engine.reason.${reason}`);
}

function comingText(status: EnclaveStatus, model: string): string {
  const doing = status.reason === 'model-loading' ? 'loading' : 'downloading';
  const progress = loadingProgress(status);
  const named = { model: shortModelName(model) };
  return progress === null
    ? say(`engine.next-${doing}`, named)
    : say(`engine.next-${doing}-part`, { ...named, percent: percentText(progress) });
}

export function stepResultText(result: VerificationStep['result']): string {
  return say(`step.${result}`);
}

/** Names a level in a choice of what an enclave must offer at least. */
export function levelName(level: ProtectionLevel): string {
  return say(`level.${level}`);
}

/** In the middle of a sentence. */
export function levelPhrase(level: ProtectionLevel): string {
  return say(`level.${level}.phrase`);
}

const namedKinds = ['development', 'modal', 'sev-snp', 'tdx'] as const;

export function kindName(kind: string): string {
  const named = namedKinds.find((each) => each === kind);
  return say(named === undefined ? 'kind.other' : `kind.${named}`);
}

/** A line between the messages. */
export function noteText(note: ConversationNote): string {
  if (note.kind === 'minimum-set') {
    const said = { level: levelPhrase(note.level), time: writeTime(note.atMs, 'long-day-and-time') };
    return note.isLower ? say('note.minimum-lowered', said) : say('note.minimum-set', said);
  }
  return say('note.other-enclave', { change: changeText(note.before, note.after) });
}

/** Names each part that differs once. */
export function changeText(before: ProtectionFacts, after: ProtectionFacts): string {
  const parts = [
    before.kind === after.kind && before.level === after.level
      ? null
      : say('change.kind', { after: protectionName(after), before: protectionName(before) }),
    before.release === after.release && before.measurement === after.measurement ? null : releaseText(before, after),
    before.model === after.model
      ? null
      : say('change.model', { after: shortModelName(after.model), before: shortModelName(before.model) }),
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function protectionName({ kind, level }: ProtectionFacts): string {
  return level === 'hardware-gpu' ? say('kind.with-gpu', { kind: kindName(kind) }) : kindName(kind);
}

function releaseText(before: ProtectionFacts, after: ProtectionFacts): string | null {
  const { release } = after;
  if (release !== null && release !== before.release) return say('change.release', { release });
  return after.measurement === null ? null : say('change.measurement', { start: after.measurement.slice(0, 16) });
}
