import type { PlainContent } from '../../../../crypto/protocol/contents/request-content.ts';
import { encodeUtf8 } from '../../../../crypto/protocol/bytes/bytes.ts';
import { maximumContentLength } from '../../../../crypto/protocol/bytes/size-class.ts';
import type { ReplyState } from '../reading/reply-state.ts';

type Message = PlainContent['messages'][number];

/** A question, and what came of it. */
export type Exchange = {
  readonly question: string;
  /** Empty where nothing was said. */
  readonly reply: string;
  readonly state: ReplyState;
};

/** A source of the exchanges that lead to a place. */
export type TurnHistory = { exchangesBefore(parentId: string | null): Exchange[] };

export type HistoryLimits = { readonly messages: number; readonly bytes: number };

/** The request's schema (SPEC.md §7.3) takes 10,000; an odd number begins and ends with a question. */
const schemaLimits: HistoryLimits = {
  messages: 9_999,
  // Keys, salt and parameters take a few hundred bytes, and no request is sealed that is longer.
  bytes: maximumContentLength - 4_096,
};
/** The length of the JSON around the words of one message, in every format of request. */
const messageOverhead = 64;
/** A longer question that nobody answered may be what nobody could answer. */
const longestOpenQuestion = 4_000;

/**
 * The messages of a request: questions and replies by turns, the newest question last.
 *
 * A question that was answered stands with its reply. One that was stopped, cut off or never answered goes along with
 * the next one, as people expect who stopped it to say more. One that the model or its server refused does not go along:
 * it would be refused with every question after it. Messages that do not fit are left out, the oldest first.
 *
 * @returns `leftOut` counts the messages that did not fit.
 */
export function requestHistory(
  exchanges: readonly Exchange[],
  newest: string,
  limits: HistoryLimits = schemaLimits,
): { readonly messages: Message[]; readonly leftOut: number } {
  const pairs = pairsOf(exchanges, newest);
  const last: Message = { role: 'user', text: pairs.open };
  let bytes = lengthOf(last);
  let first = pairs.answered.length;
  for (; first > 0; first -= 1) {
    const pair = pairs.answered[first - 1] ?? [];
    const length = pair.reduce((sum, message) => sum + lengthOf(message), 0);
    const count = 2 * (pairs.answered.length - first + 1) + 1;
    if (count > limits.messages || bytes + length > limits.bytes) break;
    bytes += length;
  }
  return { messages: [...pairs.answered.slice(first).flat(), last], leftOut: 2 * first };
}

function pairsOf(exchanges: readonly Exchange[], newest: string): { answered: Message[][]; open: string } {
  const answered: Message[][] = [];
  let open: string[] = [];
  for (const { question, reply, state } of exchanges) {
    if (reply.trim() !== '') {
      answered.push([
        { role: 'user', text: withOpen(open, question) },
        { role: 'assistant', text: reply },
      ]);
      open = [];
    } else if (!isRefused(state)) {
      open.push(question);
    }
  }
  return { answered, open: withOpen(open, newest) };
}

/** Puts the newest of the unanswered questions before one, as long as they are short; words said again once. */
function withOpen(open: readonly string[], question: string): string {
  const kept: string[] = [];
  let length = 0;
  for (const text of open.toReversed()) {
    length += text.length;
    if (length > longestOpenQuestion) break;
    if (text !== question && !kept.includes(text)) kept.unshift(text);
  }
  return [...kept, question].join('\n\n');
}

function isRefused(state: ReplyState): boolean {
  if (state.kind === 'unsent') return true;
  return state.kind === 'ended' && (state.outcome === 'error' || state.outcome === 'busy');
}

function lengthOf({ text }: Message): number {
  return encodeUtf8(JSON.stringify(text)).length + messageOverhead;
}

/** The questions that lead to a place, oldest first, and whether it was their reply that led on. */
export function chainTo<
  Question extends { readonly content: { readonly parentId: string | null; replyItemId: string } },
>(
  end: string | null,
  questionAt: (place: string) => Question | null,
): { readonly question: Question; readonly isByReply: boolean }[] {
  const chain: { question: Question; isByReply: boolean }[] = [];
  const seen = new Set<string>();
  for (let place = end; place !== null && !seen.has(place);) {
    seen.add(place);
    const question = questionAt(place);
    if (question === null) break;
    chain.push({ question, isByReply: place === question.content.replyItemId });
    place = question.content.parentId;
  }
  return chain.toReversed();
}
