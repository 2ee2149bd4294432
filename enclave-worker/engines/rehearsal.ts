import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineEvent, Question } from './engine/engine.ts';

/** One piece per frame at the `chat` pace: about 250 characters a second, some 40 words. */
const pieceLength = 25;
const pieceEveryMs = 100;
/** How much of the question is repeated. */
const echoLength = 120;

/**
 * Answers without weights, so that everything around a model can be tried and tested. It says what it is in its first
 * words, and the same question always gets the same reply.
 */
export class RehearsalEngine implements Engine {
  readonly kind = 'rehearsal';
  readonly model = 'rehearsal';
  readonly weightsDigest = null;
  readonly accepts = [];
  readonly contextTokens = null;
  readonly capacity: number;
  readonly #pieceEveryMs: number;

  constructor(options: { readonly pieceEveryMs?: number; readonly capacity?: number } = {}) {
    this.#pieceEveryMs = options.pieceEveryMs ?? pieceEveryMs;
    this.capacity = options.capacity ?? 2000;
  }

  async *answer(question: Question, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const text = composeAnswer(question);
    const words = wordCount(text);
    const limit = question.parameters.maximumTokens ?? Number.POSITIVE_INFINITY;
    const sent = words <= limit ? text : cutAfterWords(text, limit);
    for (let start = 0; start < sent.length; start += pieceLength) {
      if (signal.aborted) return;
      yield { kind: 'text', text: sent.slice(start, start + pieceLength) };
      if (this.#pieceEveryMs > 0) await sleep(this.#pieceEveryMs, undefined, { signal }).catch(() => {});
    }
    if (signal.aborted) return;
    const promptTokens = question.messages.reduce((sum, message) => sum + wordCount(message.text), 0);
    yield { kind: 'usage', promptTokens, replyTokens: Math.min(words, limit) };
    if (words > limit) yield { kind: 'length' };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One token a word. */
function wordCount(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function cutAfterWords(text: string, count: number): string {
  let end = 0;
  const words = text.matchAll(/\S+/g);
  for (let i = 0; i < count; i += 1) {
    const next = words.next();
    if (next.done === true) break;
    end = next.value.index + next.value[0].length;
  }
  return text.slice(0, end);
}

function composeAnswer({ messages }: Question): string {
  const question = messages.findLast((message) => message.role === 'user')?.text ?? '';
  const turns = messages.filter((message) => message.role === 'user').length;
  const asked = question.toLowerCase();
  const parts = [
    '**This is a rehearsal: no model is running.** The words come from a script, but their way to you is the real one: ' +
      'sealed in this container, carried by a relay that cannot read them, opened only in your browser.',
    `You wrote: “${quote(question)}”`,
  ];
  if (asked.includes('long answer')) parts.push(...longAnswer());
  if (asked.includes('list')) parts.push(list());
  if (asked.includes('code block')) parts.push(codeBlock());
  if (parts.length === 2) {
    parts.push(
      `It is question ${turns} of this conversation and has ${wordCount(question)} words in ${question.length} characters. ` +
        'A model would now read it, and everything before it, inside this container only.',
      'To see more of this page, ask for a “long answer”, a “list” or a “code block”. For real answers, set `LLM_BASE_URL` ' +
        'to a model server or `MODEL_FILE` to a GGUF file.',
    );
  }
  return parts.join('\n\n');
}

/** Short, on one line, and never half an emoji. */
function quote(question: string): string {
  const line = question.replaceAll(/\s+/g, ' ').trim();
  return line.length <= echoLength ? line : `${line.slice(0, echoLength).toWellFormed()}…`;
}

function list(): string {
  return [
    'What happens to a message, in order:',
    '1. Your browser **checks the enclave** and seals the request to its key.',
    '2. The relay stores ciphertext and passes the request on.',
    '3. The enclave opens it, asks the model, and seals the reply in frames of one size:',
    '   - one frame each tick, whether or not there is something to say;',
    '   - then *nothing but dummies* until a round number is reached.',
    '4. Every device of your account can open the reply; nobody else can.',
  ].join('\n');
}

function codeBlock(): string {
  return [
    'A block of code:',
    '```ts',
    '/** Frames leave on a schedule that no word can change. */',
    'function nextTick(startedAtMs: number, tick: number): number {',
    '  return startedAtMs + tick * 100;',
    '}',
    '```',
    'and some `inline code` after it.',
  ].join('\n');
}

const sentences = [
  'The scribe folded the letter twice and pressed the seal while the wax was soft.',
  'Nobody on the road could say what it held, only that it was carried.',
  'At each gate a clerk wrote down the hour and let it pass.',
  'The ink inside stayed dry, and the words stayed where they were put.',
  'When it rained, the rider waited, and the letter waited with the rider.',
  'In the town it lay a night in a drawer among others of the same size.',
  'By morning the drawer was opened, and the right hand took the right one.',
  'A key turned, the wax broke, and somebody read in a low voice.',
];

/** About 3,500 characters: a quarter of a minute. */
function longAnswer(): string[] {
  return Array.from({ length: 6 }, (_, section) => {
    const lines = sentences.map((_sentence, index) => sentences[(index + section) % sentences.length]);
    return `### Part ${section + 1}\n\n${lines.join(' ')}`;
  });
}
