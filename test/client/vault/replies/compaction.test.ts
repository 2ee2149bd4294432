import { beforeAll, describe, expect, it } from 'vitest';
import { SeenReplies } from '../../../../client/vault/threads/seen-replies.ts';
import {
  type CompactionDependencies,
  compactReply,
  replyOperation,
} from '../../../../client/vault/replies/compaction.ts';
import type { ReplyNoteContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { ReplyReader } from '../../../../client/vault/exchange/reading/reply-reader.ts';
import type { Exchange } from '../../../../client/vault/exchange/sending/request-history.ts';
import { VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, concat, fromBase64Url, randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { frameCapacity } from '../../../../crypto/turn/reply-frame.ts';
import {
  encodeEndRecord,
  encodeNoteRecord,
  encodeSummaryRecord,
  encodeTitleRecord,
} from '../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../crypto/turn/reply-sealer.ts';
import { addConversation } from '../../../parts/vault/planned-batches.ts';

beforeAll(() => aeadReady());

const end = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' } as const;

const capacity = frameCapacity('chat');
type Compact = { readonly note?: { readonly content: ReplyNoteContent }; readonly title: string | null };

/** One question whose answer has come to its end; what becomes of it is kept. */
function answered(records: readonly Bytes[], before: readonly Exchange[] = []) {
  const contents = new VaultContents();
  const { conversationId, turns } = addConversation(contents, { turns: 1, documents: 'none', isAnswered: false });
  const turnId = turns[0]?.turnId ?? '';
  const turnKey = contents.messages.ofTurn(turnId)?.message.turnKey ?? '';
  const [keyId, requestHash] = [randomBytes(32), randomBytes(32)];
  const sealing = { frameClass: 'chat', turnId: fromBase64Url(turnId), keyId, requestHash } as const;
  const sealer = new ReplySealer({ ...sealing, turnKey: new Secret('TurnKey', fromBase64Url(turnKey)) });
  const reader = new ReplyReader(turnId, turnKey, () => 'own');
  const ids = { turnId: sealing.turnId, transcriptId: sealer.transcriptId };
  reader.take({ kind: 'header', number: 0, body: concat(sealer.header, requestHash), ...ids });
  const words = concat(...records);
  for (let from = 0, number = 0; from < words.length; from += capacity, number += 1) {
    const body = sealer.sealFrame(words.subarray(from, from + capacity));
    reader.take({ kind: 'frame', number, body, ...ids });
  }
  reader.take({ kind: 'frame', number: Math.ceil(words.length / capacity), body: sealer.sealFinal(), ...ids });
  const seen = new SeenReplies();
  const put: [type: unknown, operation: Compact][] = [];
  const dependencies = {
    contents,
    conversations: { exchangesBefore: () => [...before], seen },
    outbox: { put: async (...operation: (typeof put)[number]) => void put.push(operation) },
    tracker: { reader: () => reader },
    writer: { kick: () => undefined },
    clock: { wallMs: () => 0, monotonicMs: () => 0, after: (_: number, run: () => void) => (run(), () => undefined) },
    random: () => 0.5,
    signal: new AbortController().signal,
    shownEnclave: () => null,
  } as unknown as CompactionDependencies;
  const operation = async () => {
    await compactReply(dependencies, turnId);
    const [type, compacted] = put[0] ?? [];
    if (type !== replyOperation || compacted?.note === undefined) throw new Error('No reply with a note.');
    return compacted;
  };
  const compact = async () => (await operation()).note?.content;
  return { conversationId, turnId, seen, compact, operation };
}

describe('compactReply', () => {
  it('notes what the transcript said, and writes a note where it said nothing', async () => {
    const failed = answered([
      encodeNoteRecord({ kind: 'cause', cause: 'quota-spent' }),
      encodeNoteRecord({ kind: 'left-out', messages: 4 }),
      encodeEndRecord({ ...end, outcome: 'error', code: 'model-refused' }),
    ]);
    const { conversationId, turnId } = failed;
    const codes = ['quota-spent', 'model-refused'];
    expect(await failed.compact()).toEqual({
      type: 'reply-note',
      format: 1,
      conversationId,
      turnId,
      codes,
      leftOut: 4,
    });
    expect(await answered([encodeEndRecord(end)]).compact()).toMatchObject({ codes: [], leftOut: 0 });
  });

  it('notes what a tab cut that is gone by now, and what this one knows of it', async () => {
    const state = { kind: 'ended', outcome: 'complete', code: null, endedEarly: false } as const;
    const long = Array.from({ length: 5_001 }, (_, n) => ({ question: `${n}?`, reply: `${n}.`, state }));
    expect(await answered([encodeEndRecord(end)], long).compact()).toMatchObject({ leftOut: 4 });
    expect(await answered([encodeEndRecord(end)], long.slice(0, 4_999)).compact()).toMatchObject({ leftOut: 0 });
    const known = answered([encodeEndRecord(end)]);
    known.seen.noteLeftOut(known.turnId, 6);
    expect(await known.compact()).toMatchObject({ leftOut: 6 });
  });

  it.each<[string, readonly string[], string | null]>([
    ['is the last one', ['A first title', 'A second title'], 'A second title'],
    ['is none where none came', [], null],
    ['is one line', [' Low \n\t voices '], 'Low voices'],
    ['has no mark that turns the direction of writing', ['Low\u202E voices'], 'Low voices'],
    ['is as long as a title may be', ['é'.repeat(200)], 'é'.repeat(200)],
    ['is none where nobody could see it', ['\u200B\u2060\u3164'], null],
  ])('title that an enclave proposes: %s', async (_, titles, title) => {
    const { operation } = answered([...titles.map(encodeTitleRecord), encodeEndRecord(end)]);
    expect((await operation()).title).toBe(title);
  });

  it('takes nothing of a title behind END, nor of a summary that nobody asked for', async () => {
    const summary = encodeSummaryRecord({ covered: 'A'.repeat(43), text: 'They whispered.' });
    const asked = answered([summary, encodeEndRecord(end)]);
    expect(await asked.operation()).toMatchObject({ title: null, content: { outcome: 'complete' } });
    expect(JSON.stringify(await asked.operation())).not.toContain('whispered');
    // The enclave broke the format behind END: no more of it is read, FINAL neither.
    const broken = answered([encodeEndRecord(end), encodeTitleRecord('Too late')]);
    const note = { content: { codes: ['ended-early'] } };
    expect(await broken.operation()).toMatchObject({ title: null, content: { outcome: 'complete' }, note });
  });
});
