import { countOf, listOf, memberOf, textOf } from '../wire/json-members.ts';

/** A value in a server's own form, in the terms of chat completions. */
export type NativeAnswer = {
  readonly holder: { readonly content: string };
  readonly isWhole: boolean;
  readonly finish: string | undefined;
  readonly usage: unknown;
};

/**
 * The own streams of servers that gateways put in front of: TGI's `/generate_stream`, KoboldCpp's `/api/extra/generate/stream` and
 * llama.cpp's `/completion`, and what they answer unstreamed. Null for any other form.
 */
export function readNative(value: unknown): NativeAnswer | null {
  return readTgi(value) ?? readKobold(value) ?? readLlama(value);
}

/** `generated_text` ends a stream, and repeats the whole of it. */
function readTgi(value: unknown): NativeAnswer | null {
  const token = memberOf(value, 'token');
  const whole = memberOf(value, 'generated_text');
  const isStreamed = typeof memberOf(token, 'text') === 'string';
  if (!isStreamed && typeof whole !== 'string') return null;
  const details = memberOf(value, 'details');
  const text = memberOf(token, 'special') === true ? '' : textOf(token, 'text');
  return {
    holder: { content: isStreamed ? text : String(whole) },
    isWhole: !isStreamed,
    finish: textOf(details, 'finish_reason') || (typeof whole === 'string' ? 'stop' : undefined),
    usage: { prompt_tokens: countOf(details, 'input_length'), completion_tokens: countOf(details, 'generated_tokens') },
  };
}

function readKobold(value: unknown): NativeAnswer | null {
  const result = listOf(value, 'results')[0];
  if (typeof memberOf(result, 'text') === 'string') {
    const finish = textOf(result, 'finish_reason') || 'stop';
    return { holder: { content: textOf(result, 'text') }, isWhole: true, finish, usage: result };
  }
  if (typeof memberOf(value, 'token') !== 'string') return null;
  const finish = textOf(value, 'finish_reason') || undefined;
  return { holder: { content: textOf(value, 'token') }, isWhole: false, finish, usage: undefined };
}

function readLlama(value: unknown): NativeAnswer | null {
  const stop = memberOf(value, 'stop');
  if (typeof memberOf(value, 'content') !== 'string' || typeof stop !== 'boolean') return null;
  const isLimit = memberOf(value, 'stopped_limit') === true || textOf(value, 'stop_type') === 'limit';
  return {
    holder: { content: textOf(value, 'content') },
    isWhole: false,
    finish: stop ? (isLimit ? 'length' : 'stop') : undefined,
    usage: { prompt_tokens: countOf(value, 'tokens_evaluated'), completion_tokens: countOf(value, 'tokens_predicted') },
  };
}
