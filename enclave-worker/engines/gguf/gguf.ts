import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { ChatHistoryItem, Llama, LlamaChatResponseChunk, LlamaContext, LlamaModel } from 'node-llama-cpp';
import { hashFile } from '../weights/file-digest.ts';
import { type Engine, EngineError, type EngineEvent, type Question } from '../engine/engine.ts';
import { EventQueue } from './event-queue.ts';
import { ThoughtSplitter } from '../engine/thought-splitter.ts';
import { Slots } from './slots.ts';

/** Questions that the processor answers at a time; further ones wait for their turn. */
const sequences = 2;
const waiting = 14;
const longestContext = 8192;

/** A GGUF file in this process, on the processor, by llama.cpp. */
export class GgufEngine implements Engine {
  readonly kind = 'gguf';
  readonly model: string;
  readonly weightsDigest: string;
  readonly capacity = sequences + waiting;
  readonly accepts = [];
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #slots = new Slots(sequences);
  readonly #closing = new AbortController();

  private constructor(model: string, weightsDigest: string, loaded: { model: LlamaModel; context: LlamaContext }) {
    this.model = model;
    this.weightsDigest = weightsDigest;
    this.#model = loaded.model;
    this.#context = loaded.context;
  }

  /**
   * Hashes and loads a file.
   *
   * @param signal - Ends the loading.
   * @param expectedDigest - SHA-256 that the file must have (base64url), or null.
   * @param contextTokens - Tokens of question and reply together, unless the model has fewer.
   * @throws {EngineError} `model-failed` for a file that is missing, another one or no model.
   */
  static async load(
    file: string,
    signal: AbortSignal,
    expectedDigest: string | null = null,
    contextTokens = longestContext,
  ): Promise<GgufEngine> {
    try {
      await requireGguf(file);
      const weightsDigest = (await hashFile(file, signal)).toString('base64url');
      if (expectedDigest !== null && weightsDigest !== expectedDigest) throw new EngineError('model-failed');
      // Heavy, and native: only a worker that uses it loads it.
      const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
      const llama: Llama = await getLlama({
        gpu: false,
        build: 'never',
        progressLogs: false,
        // llama.cpp's own lines can repeat text of a prompt.
        logLevel: LlamaLogLevel.disabled,
        maxThreads: Math.max(1, availableParallelism() - 1),
      });
      const model = await llama.loadModel({ modelPath: file, loadSignal: signal });
      const context = await model.createContext({
        sequences,
        contextSize: { max: contextTokens },
        createSignal: signal,
      });
      return new GgufEngine(modelNameOf(file), weightsDigest, { model, context });
    } catch {
      throw new EngineError('model-failed');
    }
  }

  get contextTokens(): number {
    return this.#context.contextSize;
  }

  async *answer(question: Question, turnSignal: AbortSignal): AsyncGenerator<EngineEvent> {
    const signal = AbortSignal.any([turnSignal, this.#closing.signal]);
    const release = await this.#slots.take(signal);
    if (release === null) return;
    const events = new EventQueue<EngineEvent>();
    const generation = this.#generate(question, signal, events).finally(() => {
      events.end();
      release();
    });
    // Read below; this keeps a failure from being "unhandled" until then.
    generation.catch(() => {});
    yield* events;
    try {
      await generation;
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#slots.idle();
    await this.#context.dispose();
    await this.#model.dispose();
  }

  async #generate(question: Question, signal: AbortSignal, events: EventQueue<EngineEvent>): Promise<void> {
    const { LlamaChat, QwenChatWrapper, resolveChatWrapper } = await import('node-llama-cpp');
    const { temperature = 0.7, topP = 0.95, maximumTokens, reasoning } = question.parameters;
    const resolved = resolveChatWrapper(this.#model, { warningLogs: false });
    const chatWrapper =
      reasoning === false && resolved instanceof QwenChatWrapper
        ? new QwenChatWrapper({ variation: resolved.variation, thoughts: 'discourage' })
        : resolved;
    const history = historyOf(question);
    if (this.#lengthInTokens(chatWrapper.generateContextState({ chatHistory: history }).contextText) >= this.#room()) {
      throw new EngineError('context-too-long');
    }
    const sequence = this.#context.getSequence();
    const before = sequence.tokenMeter.getState();
    const chat = new LlamaChat({ contextSequence: sequence, chatWrapper });
    // For models whose way of thinking the library does not know.
    const splitter = new ThoughtSplitter();
    try {
      const { metadata } = await chat.generateResponse(history, {
        signal,
        stopOnAbortSignal: true,
        temperature,
        topP,
        // The reply ends where the context does: shifting it would forget the question without saying so.
        maxTokens: Math.min(maximumTokens ?? Number.MAX_SAFE_INTEGER, this.#room()),
        onResponseChunk: (chunk) => {
          const event = eventOf(chunk);
          const parts = event?.kind === 'text' ? splitter.push(event.text) : event === null ? [] : [event];
          for (const part of parts) events.push(part);
        },
      });
      for (const part of splitter.end()) events.push(part);
      const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter.diff(before);
      events.push({ kind: 'usage', promptTokens: usedInputTokens, replyTokens: usedOutputTokens });
      if (metadata.stopReason === 'maxTokens') events.push({ kind: 'length' });
    } catch {
      if (!signal.aborted) throw new EngineError('model-failed');
    } finally {
      chat.dispose();
      // Nothing of one person's text is left where the next one's begins.
      await sequence.clearHistory();
      await sequence.dispose();
    }
  }

  /** Half of the context is for the question, half for the reply. */
  #room(): number {
    return Math.floor(this.#context.contextSize / 2);
  }

  #lengthInTokens(text: { tokenize(tokenizer: LlamaModel['tokenizer']): readonly unknown[] }): number {
    return text.tokenize(this.#model.tokenizer).length;
  }
}

/** The library retries for half a minute what is no GGUF file at all. */
async function requireGguf(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    const version = buffer.readUInt32LE(4);
    if (bytesRead < 8 || buffer.toString('latin1', 0, 4) !== 'GGUF' || version < 2 || version > 3) {
      throw new EngineError('model-failed');
    }
  } finally {
    await handle.close();
  }
}

/** `Qwen3.5-0.8B-Q4_K_M.gguf` is `Qwen3.5-0.8B-Q4_K_M`; characters that a header cannot hold become `-`. */
export function modelNameOf(file: string): string {
  const name = basename(file).replace(/\.gguf$/i, '');
  const clean = name.replaceAll(/[^A-Za-z0-9._:@+-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return clean.slice(0, 128) || 'model';
}

function historyOf(question: Question): ChatHistoryItem[] {
  const history: ChatHistoryItem[] = question.messages.map(({ role, text }) => {
    switch (role) {
      case 'system':
        return { type: 'system', text };
      case 'user':
        return { type: 'user', text };
      case 'assistant':
        return { type: 'model', response: [text] };
    }
  });
  return [...history, { type: 'model', response: [] }];
}

function eventOf(chunk: LlamaChatResponseChunk): Extract<EngineEvent, { kind: 'text' | 'reasoning' }> | null {
  if (chunk.text === '') return null;
  if (chunk.type === undefined) return { kind: 'text', text: chunk.text };
  return chunk.segmentType === 'thought' ? { kind: 'reasoning', text: chunk.text } : null;
}
