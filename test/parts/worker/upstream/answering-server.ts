import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReplyNote } from '../../../../crypto/protocol/contents/reply-note.ts';
import { OpenAiEngine } from '../../../../enclave-worker/engines/openai/openai.ts';
import { EngineError, type EngineEvent, type Question } from '../../../../enclave-worker/engines/engine/engine.ts';
import { UpstreamCaller } from '../../../../enclave-worker/engines/openai/wire/upstream-call.ts';

export type Answering = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/** A model server of a test, which says what the test wants once it has read the request. */
export async function startAnswering(answer: Answering, port = 0): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, Buffer.concat(chunks).toString('utf8'), response));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const plainQuestion: Question = {
  messages: [{ role: 'user', text: 'a secret prompt' }],
  parameters: {},
  cacheSalt: 'S'.repeat(43),
};

/** Pauses take no time. */
export function engineAt(
  url: string,
  options: Partial<ConstructorParameters<typeof OpenAiEngine>[0]> = {},
): OpenAiEngine {
  const caller = new UpstreamCaller(url, undefined);
  return new OpenAiEngine({ caller, model: 'test-model', pause: () => Promise.resolve(), ...options });
}

export type ReadAnswer = {
  readonly text: string;
  readonly thoughts: string;
  readonly usage: readonly number[] | null;
  readonly isLength: boolean;
  readonly notes: readonly string[];
  /** The reason of its failure. */
  readonly failure: string | null;
};

/** Gives what a person gets of a reply. */
export async function readAll(events: AsyncIterable<EngineEvent>): Promise<ReadAnswer> {
  const answer = { text: '', thoughts: '', usage: null as number[] | null, isLength: false, notes: [] as string[] };
  try {
    for await (const event of events) {
      if (event.kind === 'note') takeNote(answer, event.note);
      else if (event.kind === 'text') answer.text += event.text;
      else if (event.kind === 'reasoning') answer.thoughts += event.text;
      else if (event.kind === 'usage') answer.usage = [event.promptTokens, event.replyTokens];
      else answer.isLength = true;
    }
    return { ...answer, thoughts: answer.thoughts.trim(), failure: null };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { ...answer, thoughts: answer.thoughts.trim(), failure: error.message };
  }
}

function takeNote(answer: { text: string; thoughts: string; notes: string[] }, note: ReplyNote): void {
  if (note.kind === 'text-was-reasoning') {
    answer.thoughts += answer.text;
    answer.text = '';
  } else {
    answer.notes.push(note.kind === 'cause' ? note.cause : note.kind);
  }
}

export async function ask(engine: OpenAiEngine, question: Question = plainQuestion): Promise<ReadAnswer> {
  return readAll(engine.answer(question, new AbortController().signal));
}
