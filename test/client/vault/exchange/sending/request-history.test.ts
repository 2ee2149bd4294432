import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chainTo,
  type Exchange,
  requestHistory,
} from '../../../../../client/vault/exchange/sending/request-history.ts';
import type { ReplyState } from '../../../../../client/vault/api/vault-api.ts';
import { requestContent } from '../../../../../crypto/protocol/contents/request-content.ts';
import { encodeCanonicalJson } from '../../../../../crypto/protocol/json/canonical-json.ts';
import { maximumContentLength } from '../../../../../crypto/protocol/bytes/size-class.ts';
import * as v from 'valibot';

const ended = (outcome: Extract<ReplyState, { kind: 'ended' }>['outcome']): ReplyState => ({
  kind: 'ended',
  outcome,
  code: null,
  endedEarly: false,
});
const exchange = (question: string, reply: string, state: ReplyState = ended('complete')): Exchange => ({
  question,
  reply,
  state,
});
const textsOf = (exchanges: readonly Exchange[], newest = 'newest') =>
  requestHistory(exchanges, newest).messages.map(({ role, text }) => `${role}: ${text}`);

/** The sealed request holds it so. */
const contentOf = (messages: ReturnType<typeof requestHistory>['messages']) => ({
  format: 1 as const,
  turnKey: 'A'.repeat(43),
  evidenceDigest: 'A'.repeat(43),
  cacheSalt: 'A'.repeat(43),
  messages,
  parameters: {},
});

const states = fc.constantFrom<ReplyState>(
  ...(['complete', 'stopped', 'length', 'error', 'busy', 'cut-off'] as const).map((outcome) => ended(outcome)),
  { kind: 'missing' },
  { kind: 'waiting' },
  { kind: 'unsent', failure: { code: 'message-too-long' } },
);
const anyExchange = fc.record({
  question: fc.string({ minLength: 1, maxLength: 6_000 }),
  reply: fc.oneof(fc.constant(''), fc.constant(' \n'), fc.string()),
  state: states,
});

describe('requestHistory', () => {
  test('alternates, begins and ends with a question, keeps the newest, and is a request, whatever came before', () => {
    fc.assert(
      fc.property(
        fc.array(anyExchange),
        fc.string({ minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        (exchanges, newest, most) => {
          const limits = { messages: most, bytes: 100_000 };
          const { messages, leftOut } = requestHistory(exchanges, newest, limits);
          expect(messages.every(({ role }, index) => role === (index % 2 === 0 ? 'user' : 'assistant'))).toBe(true);
          expect(messages.at(-1)?.role).toBe('user');
          expect(messages.at(-1)?.text.endsWith(newest)).toBe(true);
          expect(messages.length).toBeLessThanOrEqual(most);
          const answered = exchanges.filter(({ reply }) => reply.trim() !== '');
          expect(messages.length - 1 + leftOut).toBe(2 * answered.length);
          const kept = messages.filter(({ role }) => role === 'assistant').map(({ text }) => text);
          expect(kept).toEqual(answered.map(({ reply }) => reply).slice(answered.length - kept.length));
          expect(v.is(requestContent, contentOf(messages))).toBe(true);
        },
      ),
    );
  });

  test.each(['stopped', 'cut-off', 'complete'] as const)(
    'lets a question go along that was %s without a word',
    (outcome) => {
      expect(
        textsOf([exchange('first', 'answer'), exchange('About the sea.', '', ended(outcome))], 'In French.'),
      ).toEqual(['user: first', 'assistant: answer', 'user: About the sea.\n\nIn French.']);
    },
  );

  test.each(['error', 'busy'] as const)('leaves out a question that was refused with %s', (outcome) => {
    expect(textsOf([exchange('first', 'answer'), exchange('refused', '', ended(outcome))])).toEqual([
      'user: first',
      'assistant: answer',
      'user: newest',
    ]);
  });

  test('keeps what was said of an answer that stopped, failed or was cut off', () => {
    for (const outcome of ['stopped', 'error', 'cut-off', 'length'] as const) {
      expect(textsOf([exchange('first', 'half', ended(outcome))])).toEqual([
        'user: first',
        'assistant: half',
        'user: newest',
      ]);
    }
  });

  test('lets no long unanswered question spoil every later one, and says the same words once', () => {
    expect(textsOf([exchange('x'.repeat(4_001), '', ended('stopped'))])).toEqual(['user: newest']);
    expect(
      textsOf([exchange('again', '', ended('stopped')), exchange('again', '', ended('stopped'))], 'again'),
    ).toEqual(['user: again']);
  });

  test('cuts a conversation of ten thousand messages to what a request takes, the oldest first', () => {
    const long = Array.from({ length: 5_000 }, (_, index) => exchange(`q${index}`, `a${index}`));
    const { messages, leftOut } = requestHistory(long, 'newest');
    expect([messages.length, leftOut]).toEqual([9_999, 2]);
    expect(messages[0]).toEqual({ role: 'user', text: 'q1' });
    expect(v.is(requestContent, contentOf(messages))).toBe(true);
    const shorter = requestHistory(long.slice(1), 'newest');
    expect([shorter.messages.length, shorter.leftOut]).toEqual([9_999, 0]);
  });

  test('cuts a conversation of many bytes to what can be sealed, counted as they stand in JSON', () => {
    for (const sign of ['x', 'é', '"', '\u0001']) {
      const long = Array.from({ length: 30 }, () => exchange('question', sign.repeat(1_000_000)));
      const { messages, leftOut } = requestHistory(long, 'y'.repeat(200_000));
      const length = encodeCanonicalJson(contentOf(messages)).length;
      expect(length).toBeLessThanOrEqual(maximumContentLength);
      expect(leftOut).toBeGreaterThan(0);
      // Not more is left out than has to be.
      expect(length + encodeCanonicalJson([sign.repeat(1_000_000)]).length).toBeGreaterThan(
        maximumContentLength - 10_000,
      );
    }
  });
});

describe('chainTo', () => {
  const questions = [
    { content: { id: 'q1', parentId: null, replyItemId: 'r1' } },
    { content: { id: 'q2', parentId: 'r1', replyItemId: 'r2' } },
    { content: { id: 'q3', parentId: 'q2', replyItemId: 'r3' } },
  ];
  const at = (place: string) =>
    questions.find(({ content }) => content.id === place || content.replyItemId === place) ?? null;

  test('follows answers and questions back to the beginning', () => {
    const chain = chainTo('r3', at).map(({ question, isByReply }) => [question.content.id, isByReply]);
    expect(chain).toEqual([
      ['q1', true],
      ['q2', false],
      ['q3', true],
    ]);
    expect(chainTo(null, at)).toEqual([]);
    expect(chainTo('gone', at)).toEqual([]);
  });

  test('ends where a chain bites its own tail', () => {
    const circle = { content: { parentId: 'r', replyItemId: 'r' } };
    expect(chainTo('r', () => circle)).toHaveLength(1);
  });
});
