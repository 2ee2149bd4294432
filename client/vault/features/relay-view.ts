import { transcriptIdOf } from '../../../crypto/protocol/messages/transcript-header.ts';
import type { KeyslotKind } from '../../../crypto/protocol/messages/account-messages.ts';
import type { ReplyNoteContent } from '../../../crypto/protocol/contents/item-contents.ts';
import type { TurnRecord } from '../../../crypto/protocol/messages/turn-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { listTurns } from '../relay/list-turns.ts';
import { feature, type FeatureVault } from './feature.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { CiphertextCache } from '../store/ciphertext-cache.ts';
import type { ReplyTracker } from '../replies/reply-tracker.ts';
import type { ItemRow, VaultContents } from '../store/vault-contents.ts';
import type { VerificationSummary } from '../items/verifications.ts';

type ColumnName =
  | 'id'
  | 'version'
  | 'expiresAt'
  | 'flags'
  | 'counter'
  | 'storedAtMs'
  | 'turnId'
  | 'length'
  | 'bodyHash'
  | 'bodyState'
  | 'state'
  | 'startedAtMs'
  | 'endedAtMs'
  | 'attempts'
  | 'requestLength'
  | 'stops'
  | 'header'
  | 'frames'
  | 'accountNumber'
  | 'nameHash'
  | 'createdAtMs'
  | 'usedBytes'
  | 'quotaBytes';

/** A column of the relay's own tables by its name there; an account's keyslots, each as one. Names that end in `At` or `AtMs` hold times in ms. */
export type RelayColumn = {
  readonly name: ColumnName | `keyslot:${KeyslotKind}`;
  /** null: nothing stands in it. */
  readonly value: string | number | null;
};

/** Facts of an item that this device wrote and that holds no text of a person's. */
export type RelayFacts =
  | ({ readonly kind: 'verification' } & Pick<VerificationSummary, 'model' | 'verifiedAtMs'> & {
        readonly evidenceKind: VerificationSummary['kind'];
      })
  | ({ readonly kind: 'note' } & Pick<ReplyNoteContent, 'codes' | 'leftOut'>);

/** One row of "What the relay sees": the relay's columns beside the words that only this device reads. */
export type RelayViewRow = {
  readonly what: 'item' | 'transcript';
  readonly id: string;
  readonly columns: readonly RelayColumn[];
  /** The first bytes as hex, at most 256; the length of all of them; and all of them on demand by `relayBytes`. */
  readonly firstBytesHex: string;
  readonly length: number;
  readonly words: string;
  /** In place of words where there are none. */
  readonly facts: RelayFacts | null;
  readonly kindOfWords: 'title' | 'question' | 'reply' | 'settings' | 'verification' | 'note';
};

export type RelayView = {
  readonly rows: readonly RelayViewRow[];
  /** About the account as a whole. */
  readonly account: readonly RelayColumn[];
};

const firstBytesLength = 256;

export type RelayViewDependencies = {
  readonly contents: VaultContents;
  readonly cache: CiphertextCache;
  readonly tracker: ReplyTracker;
  readonly client: Pick<RelayClient, 'readAccount'>;
};

type Words = Pick<RelayViewRow, 'words' | 'kindOfWords'> & { readonly facts?: RelayFacts };

/**
 * Everything that the relay holds of one conversation, column by column, beside the words that only this device reads.
 *
 * @param turns - The relay's whole list: asking for one conversation's turns would tell which they are.
 */
export async function buildRelayView(
  dependencies: RelayViewDependencies,
  conversationId: string,
  turns: readonly TurnRecord[],
): Promise<RelayView> {
  const { contents } = dependencies;
  const rows: RelayViewRow[] = [];
  const conversation = contents.conversations.get(conversationId);
  if (conversation !== undefined) {
    await pushItem(dependencies, rows, conversationId, { words: conversation.title.value, kindOfWords: 'title' });
  }
  const turnsById = new Map(turns.map((turn) => [turn.turnId, turn]));
  const messages = [...contents.messages.idsOf(conversationId)].flatMap((id) => {
    const message = contents.messages.get(id);
    return message === undefined ? [] : [{ id, message }];
  });
  for (const { id, message } of messages.toSorted((a, b) => a.message.createdAtMs - b.message.createdAtMs)) {
    await pushItem(dependencies, rows, id, { words: message.text, kindOfWords: 'question' });
    const verification = contents.verificationOf(message.turnId);
    if (verification !== null && !rows.some((row) => row.id === verification.id)) {
      await pushItem(dependencies, rows, verification.id, verificationWords(verification.summary));
    }
    const reply = contents.replies.get(message.replyItemId);
    if (reply !== undefined) {
      await pushItem(dependencies, rows, message.replyItemId, { words: reply.text, kindOfWords: 'reply' });
    }
    const noted = contents.replyNotes.ofTurn(message.turnId);
    if (noted !== null) await pushItem(dependencies, rows, noted.id, noteWords(noted.note));
    const turn = turnsById.get(message.turnId);
    if (turn !== undefined) rows.push(...transcriptRows(dependencies.tracker, turn));
  }
  return { rows, account: await accountColumns(dependencies) };
}

/** All sealed bytes of one row. @returns none for what the relay no longer holds. */
export async function readRelayBytes(dependencies: RelayViewDependencies, rowId: string): Promise<Bytes> {
  const [turnId = '', transcriptId] = rowId.split(':');
  if (transcriptId === undefined) return (await dependencies.cache.readBody(rowId)) ?? new Uint8Array(0);
  const transcript = dependencies.tracker.reader(turnId)?.transcripts.find(({ id }) => id === transcriptId);
  return transcript?.sealedBytes ?? new Uint8Array(0);
}

async function pushItem(
  dependencies: RelayViewDependencies,
  rows: RelayViewRow[],
  id: string,
  words: Words,
): Promise<void> {
  const row = dependencies.contents.rows.get(id);
  if (row === undefined) return;
  const body = (await dependencies.cache.readBody(id)) ?? new Uint8Array(0);
  rows.push({
    what: 'item',
    id,
    columns: itemColumns(row),
    firstBytesHex: toHex(body.subarray(0, firstBytesLength)),
    length: row.length,
    facts: null,
    ...words,
  });
}

function verificationWords({ kind, model, verifiedAtMs }: VerificationSummary): Words {
  const facts = { kind: 'verification', evidenceKind: kind, model, verifiedAtMs } as const;
  return { words: '', kindOfWords: 'verification', facts };
}

function noteWords({ codes, leftOut }: ReplyNoteContent): Words {
  return { words: '', kindOfWords: 'note', facts: { kind: 'note', codes, leftOut } };
}

function itemColumns(row: ItemRow): RelayColumn[] {
  return [
    { name: 'id', value: row.id },
    { name: 'version', value: row.version },
    { name: 'expiresAt', value: row.expiresAt === 0 ? null : row.expiresAt * 86_400_000 },
    { name: 'flags', value: row.flags },
    { name: 'counter', value: row.counter },
    { name: 'storedAtMs', value: row.storedAtMs },
    { name: 'turnId', value: row.turnId },
    { name: 'length', value: row.length },
    { name: 'bodyHash', value: toBase64Url(row.bodyHash) },
    { name: 'bodyState', value: row.bodyState },
  ];
}

/** One row for each transcript; a turn whose transcript a compact item replaced still has its own columns. */
function transcriptRows(tracker: ReplyTracker, turn: TurnRecord): RelayViewRow[] {
  const shared: RelayColumn[] = [
    { name: 'turnId', value: turn.turnId },
    { name: 'state', value: turn.state },
    { name: 'startedAtMs', value: turn.startedAtMs },
    { name: 'endedAtMs', value: turn.endedAtMs },
    { name: 'attempts', value: turn.attempts },
    { name: 'requestLength', value: turn.requestLength },
    { name: 'stops', value: turn.stops },
  ];
  const reader = tracker.reader(turn.turnId);
  const stored = turn.transcripts.map(({ header, frames }) => {
    const bytes = fromBase64Url(header);
    return { id: toHex(transcriptIdOf(bytes)), header, headerBytes: bytes, frames };
  });
  const ids = new Set([...stored.map(({ id }) => id), ...(reader?.transcripts ?? []).map(({ id }) => id)]);
  if (ids.size === 0) {
    const empty = { firstBytesHex: '', length: 0, words: '', facts: null, kindOfWords: 'reply' } as const;
    return [{ what: 'transcript', id: turn.turnId, columns: shared, ...empty }];
  }
  return [...ids].map((id) => {
    // The relay writes frames down a moment after it passed them on.
    const listed = stored.find((transcript) => transcript.id === id);
    const bytes = reader?.transcripts.find((transcript) => transcript.id === id)?.sealedBytes ?? new Uint8Array(0);
    const known = bytes.length > 0 ? bytes : (listed?.headerBytes ?? new Uint8Array(0));
    const columns: RelayColumn[] =
      listed === undefined
        ? shared
        : [...shared, { name: 'header', value: listed.header }, { name: 'frames', value: listed.frames }];
    return {
      what: 'transcript',
      id: `${turn.turnId}:${id}`,
      columns,
      firstBytesHex: toHex(known.subarray(0, firstBytesLength)),
      length: known.length,
      words: reader?.transcript?.id === id ? reader.text : '',
      facts: null,
      kindOfWords: 'reply',
    };
  });
}

async function accountColumns({ client }: RelayViewDependencies): Promise<RelayColumn[]> {
  const account = await client.readAccount();
  return [
    { name: 'accountNumber', value: account.accountNumber },
    { name: 'nameHash', value: account.nameHash },
    { name: 'createdAtMs', value: account.createdAtMs },
    { name: 'usedBytes', value: account.usedBytes },
    { name: 'quotaBytes', value: account.quotaBytes },
    ...account.keyslots.map(({ slotId, kind, length }) => ({
      name: `keyslot:${kind}` as const,
      value: `${slotId} ${length}`,
    })),
  ];
}

/** Everything that the relay holds of one conversation, beside the words that only this device reads. */
export const relayView = feature({
  commands: ({ store, cache, tracker, client, writer }: FeatureVault) => {
    const sources = { contents: store.contents, cache, tracker, client };
    return {
      relayView: async ({ conversationId }: { readonly conversationId: string }): Promise<RelayView> => {
        // Only a sync brings the relay's own columns of what this device wrote itself.
        await writer.sync();
        return buildRelayView(sources, conversationId, await listTurns(client, 0));
      },
      relayBytes: ({ id }: { readonly id: string }): Promise<Uint8Array> => readRelayBytes(sources, id),
    };
  },
});
