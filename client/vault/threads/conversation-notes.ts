import { isAtLeast, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { ShownEnclave } from '../changes/operations/turn-operation.ts';
import type { ConversationNote, ProtectionFacts } from '../enclave/protection-views.ts';
import type { SetMinimum } from '../items/settings.ts';
import type { VaultContents } from '../store/vault-contents.ts';

/** A question as far as notes are about it. */
export type NotedTurn = {
  readonly turnId: string;
  readonly createdAtMs: number;
  /** The enclave that the shield showed, while nothing is stored. */
  readonly shown: ShownEnclave | null;
};

export type NotesDependencies = {
  readonly contents: VaultContents;
  /** The minimum that the person set for this conversation alone. */
  readonly said: SetMinimum | null;
  /** The minimum that holds for the account. */
  readonly account: ProtectionLevel;
};

/** Lines between the messages: what changed from one turn to the next, and what the person decided. */
export type Notes = {
  readonly before: ReadonlyMap<string, readonly ConversationNote[]>;
  readonly after: readonly ConversationNote[];
};

/** @param turns - In the order in which they are read. */
export function findNotes(dependencies: NotesDependencies, turns: readonly NotedTurn[]): Notes {
  const before = new Map<string, ConversationNote[]>();
  let decision = decisionOf(dependencies);
  let known: ProtectionFacts | null = null;
  for (const turn of turns) {
    const notes: ConversationNote[] = [];
    if (decision !== null && turn.createdAtMs >= decision.atMs) {
      notes.push(decision);
      decision = null;
    }
    const facts = factsOf(dependencies.contents, turn);
    if (facts !== null) {
      if (known !== null && !isSame(known, facts)) notes.push({ kind: 'enclave-changed', before: known, after: facts });
      known = facts;
    }
    if (notes.length > 0) before.set(turn.turnId, notes);
  }
  return { before, after: decision === null ? [] : [decision] };
}

function decisionOf({ said, account }: NotesDependencies): Extract<ConversationNote, { kind: 'minimum-set' }> | null {
  if (said === null) return null;
  const isLower = !isAtLeast(said.value, account);
  return { kind: 'minimum-set', level: said.value, atMs: said.setAtMs, isLower };
}

function factsOf(contents: VaultContents, { turnId, shown }: NotedTurn): ProtectionFacts | null {
  const kept = contents.verificationOf(turnId)?.summary;
  if (kept !== undefined) {
    const { kind, level, model, measurement, release } = kept;
    return { kind, level, model, measurement, release };
  }
  if (shown === null || shown.level === null) return null;
  const { kind, level, model, measurement, release } = shown;
  return { kind, level, model, measurement, release };
}

function isSame(a: ProtectionFacts, b: ProtectionFacts): boolean {
  return (
    a.kind === b.kind &&
    a.level === b.level &&
    a.model === b.model &&
    a.measurement === b.measurement &&
    a.release === b.release
  );
}
