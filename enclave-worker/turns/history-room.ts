import { type Engine, EngineError, type EngineEvent, type Question } from '../engines/engine/engine.ts';

type Message = Question['messages'][number];

/** Shorter ones are tried until the newest question stands alone. */
const maximumTries = 16;

/**
 * Answers a question whose conversation may be longer than the model reads. Where the engine says so, it is asked again without
 * the oldest messages, and a note says how many are missing.
 *
 * @throws {EngineError} `context-too-long` or `request-too-large` when the newest question alone is too long.
 */
export async function* answerWithRoom(
  engine: Engine,
  question: Question,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  let messages: readonly Message[] = question.messages;
  for (let round = 1; ; round += 1) {
    const events = engine.answer({ ...question, messages: inTurns(messages) }, signal);
    const leftOut = question.messages.length - messages.length;
    let hasSpoken = false;
    try {
      for await (const event of events) {
        if (!hasSpoken && leftOut > 0 && (event.kind === 'text' || event.kind === 'reasoning')) {
          yield { kind: 'note', note: { kind: 'left-out', messages: Math.min(leftOut, 10_000) } };
        }
        hasSpoken ||= event.kind !== 'note';
        yield event;
      }
      return;
    } catch (error) {
      const shorter = isTooLong(error) && !hasSpoken && round < maximumTries ? withoutOldest(messages) : null;
      if (shorter === null) throw error;
      messages = shorter;
    }
  }
}

/** For the model, or for a proxy before its server. */
function isTooLong(error: unknown): boolean {
  return error instanceof EngineError && (error.code === 'context-too-long' || error.cause === 'request-too-large');
}

/**
 * Puts questions and replies by turns, as strict templates want them. A conversation begins with a question after what the
 * system says, and two of one role in a row become one.
 */
export function inTurns(messages: readonly Message[]): Message[] {
  const turns: Message[] = [];
  let hasQuestion = false;
  for (const message of messages) {
    const last = turns.at(-1);
    if (message.role === 'user') hasQuestion = true;
    // A reply to nothing.
    if (message.role === 'assistant' && !hasQuestion) continue;
    if (last?.role === message.role) turns.splice(-1, 1, { ...last, text: `${last.text}\n\n${message.text}` });
    else turns.push(message);
  }
  return turns;
}

/** The newer half by length, beginning with a question; null when only the newest one is left. */
function withoutOldest(messages: readonly Message[]): readonly Message[] | null {
  const system = messages.filter(({ role }) => role === 'system');
  const others = messages.filter(({ role }) => role !== 'system');
  const half = others.reduce((sum, { text }) => sum + text.length, 0) / 2;
  let kept = 0;
  let first = others.length - 1;
  while (first > 0 && kept + (others[first]?.text.length ?? 0) <= half) {
    kept += others[first]?.text.length ?? 0;
    first -= 1;
  }
  // At least the oldest exchange goes, and what is left begins with a question.
  first = Math.max(first, 1);
  while (first < others.length && others[first]?.role !== 'user') first += 1;
  if (first >= others.length) return null;
  return [...system, ...others.slice(first)];
}
