import { countOf, listOf, memberOf, textOf } from '../wire/json-members.ts';
import { readNative } from './native-forms.ts';

export type AnswerPart = { readonly kind: 'text' | 'reasoning'; readonly text: string };

/** One value of a stream says this of a reply, once everything that nobody needs is left aside. */
export type AnswerValue = {
  readonly parts: readonly AnswerPart[];
  /** The parts are a whole message and not what it grew by. */
  readonly isWhole: boolean;
  /** Why the reply is over; null while it goes on. */
  readonly finish: string | null;
  /** It says that the reply goes on, where others say nothing. */
  readonly goesOn: boolean;
  /** Which model says that it answers; empty where it is not said. */
  readonly model: string;
  readonly usage: { readonly promptTokens: number; readonly replyTokens: number } | null;
  /** It has the form of a reply at all. */
  readonly isAnswer: boolean;
  /** A server says this instead of a reply; undefined where there is nothing. */
  readonly error: unknown;
};

/**
 * Reads a value of any server that speaks OpenAI's chat completions, streamed or whole, or Ollama's own form. Members that
 * are missing, null or of another type say nothing; of several choices the first counts.
 *
 * @param given - Also inside the `result` or the `data` of a gateway.
 * @param name - The event's name, where the stream gives one.
 */
export function readAnswerValue(given: unknown, name: string): AnswerValue {
  const value = unwrapped(given);
  const error = errorOf(value, name);
  const choice = firstChoice(value);
  const native = choice === undefined ? readNative(value) : null;
  const source = native ?? sourceOf(value, choice);
  const finish = native?.finish ?? finishOf(choice) ?? textOf(value, 'done_reason');
  return {
    parts: source === undefined ? [] : partsOf(source.holder),
    // No gateway wraps the pieces of a stream.
    isWhole: source !== undefined && (source.isWhole || value !== given),
    finish: finish !== '' ? finish : memberOf(value, 'done') === true ? 'stop' : null,
    goesOn: ['', null, 'null'].includes(memberOf(choice, 'finish_reason') as string),
    model: textOf(value, 'model'),
    usage: usageOf(memberOf(value, 'usage') ?? memberOf(choice, 'usage') ?? native?.usage, value),
    isAnswer: Array.isArray(memberOf(value, 'choices')) || source !== undefined || finish !== '',
    error,
  };
}

/** Where a gateway says `stop` of a reply that its provider did not finish, what the provider said counts. */
function finishOf(choice: unknown): string | undefined {
  const native = textOf(choice, 'native_finish_reason');
  if (/error/i.test(native)) return native;
  const reason = memberOf(choice, 'finish_reason');
  const given = typeof reason === 'object' ? textOf(reason, 'type') : textOf(choice, 'finish_reason');
  const found = given || textOf(memberOf(choice, 'delta'), 'finish_reason');
  // DashScope's word while it goes on.
  return found === '' || found === 'null' ? undefined : found;
}

function unwrapped(given: unknown): unknown {
  if (memberOf(given, 'choices') !== undefined) return given;
  const data = memberOf(given, 'data');
  if (Array.isArray(memberOf(data, 'choices'))) return data;
  const result = memberOf(given, 'result');
  const isWrapped = memberOf(given, 'success') === true;
  return isWrapped && typeof result === 'object' && result !== null ? result : given;
}

/** The first; one that says no number is the only one. */
function firstChoice(value: unknown): unknown {
  const choices = listOf(value, 'choices');
  const numbered = choices.find((choice) => countOf(choice, 'index') === 0);
  return numbered ?? choices.find((choice) => countOf(choice, 'index') === undefined);
}

function sourceOf(
  value: unknown,
  choice: unknown,
): { readonly holder: unknown; readonly isWhole: boolean } | undefined {
  const delta = memberOf(choice, 'delta');
  const message = memberOf(choice, 'message');
  const isMessage = typeof message === 'object' && message !== null;
  // Some send both, and one of them empty.
  if (typeof delta === 'object' && delta !== null && !(isMessage && partsOf(delta).length === 0)) {
    return { holder: delta, isWhole: false };
  }
  if (typeof delta === 'string') return { holder: { content: delta }, isWhole: false };
  if (isMessage) return { holder: message, isWhole: true };
  // The older completions: `text` beside `finish_reason`.
  if (typeof memberOf(choice, 'text') === 'string') {
    return { holder: { content: memberOf(choice, 'text') }, isWhole: false };
  }
  // The own form of Workers AI, and of Ollama's completions.
  if (typeof memberOf(value, 'response') === 'string') {
    return { holder: { content: memberOf(value, 'response') }, isWhole: false };
  }
  // Ollama's own form grows by messages until `done`.
  const own = memberOf(value, 'message');
  if (typeof memberOf(value, 'done') === 'boolean' && typeof own === 'object' && own !== null) {
    return { holder: own, isWhole: false };
  }
  return undefined;
}

function partsOf(holder: unknown): AnswerPart[] {
  const isThought = memberOf(memberOf(memberOf(holder, 'extra_content'), 'google'), 'thought') === true;
  const given = contentParts(memberOf(holder, 'content'));
  const content = isThought ? given.map(({ text }) => ({ kind: 'reasoning' as const, text })) : given;
  const reasoning = reasoningOf(holder);
  const parts: AnswerPart[] = reasoning === '' ? [] : [{ kind: 'reasoning', text: reasoning }];
  // A model that declines says so in a member of its own.
  const refusal = content.length === 0 ? textOf(holder, 'refusal') : '';
  return [...parts, ...content, ...(refusal === '' ? [] : [{ kind: 'text', text: refusal } as const])];
}

/** Servers name it differently, and some send two names with one of them empty. */
function reasoningOf(holder: unknown): string {
  for (const name of ['reasoning_content', 'reasoning', 'thinking', 'reasoning_text']) {
    const member = memberOf(holder, name);
    const text = typeof member === 'string' ? member : plainText(member);
    if (text !== '') return text;
  }
  return [...listOf(holder, 'reasoning_details'), ...listOf(holder, 'thinking_blocks')]
    .map((detail) => textOf(detail, 'text') || textOf(detail, 'summary') || textOf(detail, 'thinking'))
    .join('');
}

/** A string, a number, or a list of typed parts. */
function contentParts(content: unknown): AnswerPart[] {
  if (Array.isArray(content)) return (content as readonly unknown[]).flatMap((part) => contentParts(part));
  if (typeof content === 'object' && content !== null) {
    const type = textOf(content, 'type');
    if (/reason|think/.test(type)) {
      const text = plainText(memberOf(content, 'thinking') ?? memberOf(content, 'reasoning') ?? content);
      return text === '' ? [] : [{ kind: 'reasoning', text }];
    }
  }
  const text = plainText(content);
  return text === '' ? [] : [{ kind: 'text', text }];
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return (value as readonly unknown[]).map((part) => plainText(part)).join('');
  const text = memberOf(value, 'text') ?? memberOf(value, 'content') ?? memberOf(value, 'refusal');
  // Some put the words one level deeper, as `{"text": {"value": "…"}}`.
  return typeof text === 'string' ? text : textOf(text, 'value');
}

function usageOf(given: unknown, value: unknown): AnswerValue['usage'] {
  const usage = given ?? memberOf(memberOf(value, 'x_groq'), 'usage');
  const prompt =
    countOf(usage, 'prompt_tokens') ?? countOf(usage, 'input_tokens') ?? countOf(value, 'prompt_eval_count');
  const reply = countOf(usage, 'completion_tokens') ?? countOf(usage, 'output_tokens') ?? countOf(value, 'eval_count');
  // Half a count would be shown as a whole one; some write zeros until they have counted.
  if (prompt === 0 && reply === 0) return null;
  return prompt === undefined || reply === undefined ? null : { promptTokens: prompt, replyTokens: reply };
}

function errorOf(value: unknown, name: string): unknown {
  const error = memberOf(value, 'error') ?? memberOf(memberOf(value, 'x_groq'), 'error');
  if (typeof error === 'string' ? error !== '' : typeof error === 'object' && error !== null) {
    if (typeof error === 'string' || Object.values(error as object).some((said) => !isNothing(said))) return error;
  }
  const status = (countOf(memberOf(value, 'base_resp'), 'status_code') ?? 0) || (countOf(value, 'error_code') ?? 0);
  const isNamed =
    name === 'error' ||
    error === true ||
    (typeof error === 'number' && error !== 0) ||
    status !== 0 ||
    memberOf(value, 'success') === false ||
    memberOf(value, 'object') === 'error' ||
    memberOf(value, 'type') === 'error' ||
    memberOf(value, 'status') === 'error';
  if (isNamed) return value;
  // FastAPI's form, and those of proxies and clouds: nothing but a complaint.
  const isAnswer = ['choices', 'done', 'response'].some((member) => memberOf(value, member) !== undefined);
  const complaint = memberOf(value, 'detail') ?? memberOf(value, 'errors') ?? memberOf(value, 'errorMessage');
  const code = countOf(value, 'code') ?? 0;
  const isCoded = code !== 0 && code !== 200 && (textOf(value, 'message') || textOf(value, 'msg')) !== '';
  return !isAnswer && (isCoded || !isNothing(complaint)) ? value : undefined;
}

/** Gateways in Go send every member that they know, also where there is nothing to say. */
function isNothing(said: unknown): boolean {
  if (typeof said !== 'object' || said === null) return [undefined, null, '', 0, false].includes(said as string);
  return Object.values(said).every((member) => isNothing(member));
}
