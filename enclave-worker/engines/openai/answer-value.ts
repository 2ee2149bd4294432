import { countOf, listOf, memberOf, textOf } from './json-members.ts';

export type AnswerPart = { readonly kind: 'text' | 'reasoning'; readonly text: string };

/** What one value of a stream says of an answer, once everything that nobody needs is left aside. */
export type AnswerValue = {
  readonly parts: readonly AnswerPart[];
  /** The parts are a whole message and not what it grew by. */
  readonly isWhole: boolean;
  /** Why the answer is over; null while it goes on. */
  readonly finish: string | null;
  /** Which model says that it answers; empty where it is not said. */
  readonly model: string;
  readonly usage: { readonly promptTokens: number; readonly replyTokens: number } | null;
  /** It has the form of an answer at all. */
  readonly isAnswer: boolean;
  /** What a server says instead of an answer; undefined where there is nothing. */
  readonly error: unknown;
};

/**
 * Reads a value of any server that speaks OpenAI's chat completions, streamed or whole, or Ollama's own form. Members that
 * are missing, null or of another type say nothing; of several choices the first counts.
 *
 * @param name - The event's name, where the stream gives one.
 */
export function readAnswerValue(value: unknown, name: string): AnswerValue {
  const error = errorOf(value, name);
  const choice = firstChoice(value);
  const source = sourceOf(value, choice);
  const finish = textOf(choice, 'finish_reason') || textOf(value, 'done_reason');
  return {
    parts: source === undefined ? [] : partsOf(source.holder),
    isWhole: source?.isWhole ?? false,
    finish: finish !== '' ? finish : memberOf(value, 'done') === true ? 'stop' : null,
    model: textOf(value, 'model'),
    usage: usageOf(value),
    isAnswer: Array.isArray(memberOf(value, 'choices')) || source !== undefined || finish !== '',
    error,
  };
}

function firstChoice(value: unknown): unknown {
  const choices = listOf(value, 'choices').filter((choice) => memberOf(choice, 'index') !== undefined);
  return choices.find((choice) => memberOf(choice, 'index') === 0) ?? unnumbered(value);
}

/** A choice that says no number is the only one. */
function unnumbered(value: unknown): unknown {
  return listOf(value, 'choices').find((choice) => typeof memberOf(choice, 'index') !== 'number');
}

function sourceOf(
  value: unknown,
  choice: unknown,
): { readonly holder: unknown; readonly isWhole: boolean } | undefined {
  const delta = memberOf(choice, 'delta');
  if (typeof delta === 'object' && delta !== null) return { holder: delta, isWhole: false };
  const message = memberOf(choice, 'message');
  if (typeof message === 'object' && message !== null) return { holder: message, isWhole: true };
  // The older completions: `text` beside `finish_reason`.
  if (typeof memberOf(choice, 'text') === 'string') {
    return { holder: { content: memberOf(choice, 'text') }, isWhole: false };
  }
  // Ollama's own form grows by messages until `done`.
  const own = memberOf(value, 'message');
  if (typeof memberOf(value, 'done') === 'boolean' && typeof own === 'object' && own !== null) {
    return { holder: own, isWhole: false };
  }
  return undefined;
}

function partsOf(holder: unknown): AnswerPart[] {
  const content = contentParts(memberOf(holder, 'content'));
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
  return listOf(holder, 'reasoning_details')
    .map((detail) => textOf(detail, 'text') || textOf(detail, 'summary'))
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

function usageOf(value: unknown): AnswerValue['usage'] {
  const usage = memberOf(value, 'usage') ?? memberOf(memberOf(value, 'x_groq'), 'usage');
  const prompt =
    countOf(usage, 'prompt_tokens') ?? countOf(usage, 'input_tokens') ?? countOf(value, 'prompt_eval_count');
  const reply = countOf(usage, 'completion_tokens') ?? countOf(usage, 'output_tokens') ?? countOf(value, 'eval_count');
  // Half a count would be shown as a whole one.
  return prompt === undefined || reply === undefined ? null : { promptTokens: prompt, replyTokens: reply };
}

function errorOf(value: unknown, name: string): unknown {
  const error = memberOf(value, 'error');
  if (typeof error === 'string' ? error !== '' : typeof error === 'object' && error !== null) {
    if (typeof error === 'string' || Object.keys(error as object).length > 0) return error;
  }
  const isNamed =
    name === 'error' ||
    memberOf(value, 'object') === 'error' ||
    memberOf(value, 'type') === 'error' ||
    memberOf(value, 'status') === 'error';
  if (isNamed) return value;
  // FastAPI's form, and that of proxies: nothing but a complaint.
  const isComplaint = memberOf(value, 'choices') === undefined && memberOf(value, 'done') === undefined;
  const complaint = memberOf(value, 'detail') ?? memberOf(value, 'errors');
  return isComplaint && complaint !== undefined && complaint !== null ? value : undefined;
}
