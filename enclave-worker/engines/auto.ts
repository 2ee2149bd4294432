import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineReason } from '../../crypto/messages/enclave-messages.ts';
import type { Engine } from './engine.ts';
import { EngineShelf } from './engine-shelf.ts';
import { GgufEngine, modelNameOf } from './gguf.ts';
import { DownloadError, downloadModel } from './model-download.ts';
import { defaultModel, type ModelSource } from './model-source.ts';
import { OpenAiEngine, type UpstreamProblem } from './openai.ts';
import {
  chooseModel,
  choiceText,
  type ChosenModel,
  patientMs,
  probeServer,
  problemText,
} from './openai/server-search.ts';
import { readableName } from './openai/model-offer.ts';
import { RehearsalEngine } from './rehearsal.ts';
import { readSocketPath, UpstreamCaller } from './upstream-call.ts';
import { digestWeights, type WeightsSource } from './weights-digest.ts';

/** What of the settings chooses an engine. */
export type EngineSettings = {
  readonly engine: 'auto' | 'openai' | 'gguf' | 'rehearsal';
  readonly server: {
    readonly baseUrl: string;
    readonly apiKey: string | undefined;
    readonly model: string | undefined;
    /** Where the digest of its weights comes from; null: it has none. */
    readonly weights?: WeightsSource | null;
  } | null;
  readonly modelFile: string | null;
  /** What the weights must be, or nothing is answered with them; null: whatever they are. */
  readonly modelDigest?: string | null;
  readonly dataFolder: string;
  /** Somebody relies on what keeps conversations apart: a server that does not take it is not asked. */
  readonly needsSalt?: boolean;
};

const firstPauseMs = 1_000;
const longestServerPauseMs = 15_000;
const firstDownloadPauseMs = 30_000;
const longestDownloadPauseMs = 600_000;

/**
 * Chooses the engine, and goes on choosing while the worker runs: a server that comes up, a model that arrives. Until
 * then the rehearsal engine answers, and status and terminal say why.
 */
export class EngineChooser {
  readonly shelf: EngineShelf;
  readonly #settings: EngineSettings;
  readonly #say: (text: string) => void;
  readonly #onProblem: (problem: UpstreamProblem) => void;
  /** The last thing that was said of the server. */
  #saidOfServer = '';
  readonly #source: ModelSource;
  readonly #closing = new AbortController();
  readonly #rehearsal = new RehearsalEngine();
  #weightsDigest: string | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(input: {
    readonly settings: EngineSettings;
    /** A line for whoever watches the terminal. */
    readonly say: (text: string) => void;
    /** What a model server refused, for the operator. */
    readonly onProblem?: (problem: UpstreamProblem) => void;
    readonly source?: ModelSource;
  }) {
    this.#settings = input.settings;
    this.#say = input.say;
    this.#onProblem = input.onProblem ?? (() => {});
    this.#source = input.source ?? defaultModel;
    this.shelf = new EngineShelf(this.#rehearsal, this.#firstReason());
  }

  /** Resolves once it is settled what answers first; waits for a model server two seconds at most, and never for a download. */
  async start(): Promise<void> {
    const { engine, server } = this.#settings;
    if (engine === 'rehearsal') return this.#say('Model: rehearsal, which needs no weights (ENGINE=rehearsal).');
    if (server !== null && engine !== 'gguf') {
      // Weights of many gigabytes take a while; until then nobody can be told what answers.
      if (server.weights === undefined || server.weights === null) return this.#startServer(server, null);
      const { weights } = server;
      this.shelf.explain('model-loading', false);
      this.#inBackground(() => this.#measureWeights(server, weights));
      return;
    }
    this.#inBackground(() => this.#runModelFile());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#work;
    await this.shelf.close();
  }

  #firstReason(): EngineReason {
    const { engine, server } = this.#settings;
    if (engine === 'rehearsal') return 'chosen-by-setting';
    return server !== null && engine !== 'gguf' ? 'server-unreachable' : 'model-loading';
  }

  #inBackground(work: () => Promise<void>): void {
    // Nothing of what follows may end the worker: the engine that is there goes on answering.
    this.#work = Promise.all([this.#work, work().catch(() => {})]).then(() => {});
  }

  async #measureWeights(server: NonNullable<EngineSettings['server']>, weights: WeightsSource): Promise<void> {
    this.#say('The weights are being read, to state which ones they are.');
    let digest: string;
    try {
      digest = await digestWeights(weights, this.#closing.signal);
    } catch {
      if (this.#closing.signal.aborted) return;
      this.shelf.explain('model-failed', false);
      this.#say('The weights could not be read, so nothing is answered with them.');
      return;
    }
    const { modelDigest = null } = this.#settings;
    if (modelDigest !== null && modelDigest !== digest) {
      this.shelf.explain('model-failed', false);
      this.#say('The weights are others than MODEL_DIGEST says, so nothing is answered with them.');
      return;
    }
    this.#say(`The weights are ${digest}.`);
    await this.#startServer(server, digest);
  }

  async #startServer(server: NonNullable<EngineSettings['server']>, weightsDigest: string | null): Promise<void> {
    this.#weightsDigest = weightsDigest;
    const caller = new UpstreamCaller(server.baseUrl, server.apiKey);
    const { signal } = this.#closing;
    const isSettled = await this.#tryServer(caller, server.model, signal);
    if (isSettled) return;
    // Under its own name at once, where that is known: nobody who asks for it is given a rehearsal instead.
    const { model: id } = server;
    if (id !== undefined) {
      const chosen = { model: readableName(id), serverModel: id };
      this.shelf.use(this.#serverEngine(caller, chosen), this.shelf.status.reason, false);
    }
    this.#inBackground(() => this.#waitForServer(caller));
  }

  async #waitForServer(caller: UpstreamCaller): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestServerPauseMs)) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || (await this.#tryServer(caller, this.#settings.server?.model, signal, patientMs))) return;
    }
  }

  async #tryServer(
    caller: UpstreamCaller,
    named: string | undefined,
    signal: AbortSignal,
    withinMs?: number,
  ): Promise<boolean> {
    const state = await probeServer(caller, signal, withinMs);
    const host = hostOf(this.#settings.server?.baseUrl ?? '');
    const chosen = chooseModel(state, named);
    if (chosen === null) {
      this.shelf.explain(state.kind === 'loading' ? 'model-loading' : 'server-unreachable', this.shelf.isReady);
      this.#sayOfServer(`Model server ${host} ${problemText(state, this.#settings.server?.apiKey !== undefined)}`);
      return false;
    }
    const served = this.shelf.find(chosen.model);
    const engine = served?.kind === 'openai' ? served : this.#serverEngine(caller, chosen);
    this.shelf.use(engine, this.#settings.engine === 'openai' ? 'chosen-by-setting' : 'server-given');
    this.#sayOfServer(choiceText(chosen, state, host));
    return true;
  }

  #sayOfServer(text: string): void {
    if (text !== this.#saidOfServer) this.#say(text);
    this.#saidOfServer = text;
  }

  #serverEngine(caller: UpstreamCaller, { model, serverModel }: ChosenModel): Engine {
    let isWatched = false;
    return new OpenAiEngine({
      caller,
      model,
      serverModel,
      weightsDigest: this.#weightsDigest,
      needsSalt: this.#settings.needsSalt ?? false,
      onProblem: this.#onProblem,
      onUnreachable: () => {
        if (isWatched || this.#closing.signal.aborted) return;
        isWatched = true;
        this.shelf.explain('server-unreachable', false);
        this.#sayOfServer('The model server does not answer any more; trying again.');
        this.#inBackground(() =>
          this.#waitForServer(caller).finally(() => {
            isWatched = false;
          }),
        );
      },
    });
  }

  async #runModelFile(): Promise<void> {
    const file = this.#settings.modelFile ?? join(this.#settings.dataFolder, 'models', this.#source.fileName);
    const model = modelNameOf(file);
    const isChosen = this.#settings.engine === 'gguf';
    if (!existsSync(file)) {
      const isHere = await this.#download(file, model);
      if (!isHere) return;
    }
    this.shelf.announce({ model, receivedBytes: 0, totalBytes: null });
    this.shelf.explain('model-loading');
    this.#say(`Model: rehearsal, until ${model} is loaded.`);
    try {
      const engine = await GgufEngine.load(file, this.#closing.signal, this.#settings.modelDigest ?? null);
      this.shelf.use(engine, isChosen ? 'chosen-by-setting' : 'model-file-here');
      this.#say(`Model: ${model}, in this process.`);
    } catch {
      if (this.#closing.signal.aborted) return;
      this.shelf.announce(null);
      this.shelf.explain('model-failed');
      this.#say(`Model: rehearsal, because ${model} could not be loaded.`);
    }
  }

  /** Tries until the file is here. @returns false when the worker stops first. */
  async #download(file: string, model: string): Promise<boolean> {
    const { signal } = this.#closing;
    this.#say(`Model: rehearsal, until ${model} is downloaded from ${hostOf(this.#source.url)}.`);
    for (let pauseMs = firstDownloadPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestDownloadPauseMs)) {
      this.shelf.announce({ model, receivedBytes: 0, totalBytes: null });
      this.shelf.explain('model-downloading');
      let saidTenth = 0;
      try {
        await downloadModel({
          source: this.#source,
          file,
          signal,
          onProgress: (progress) => {
            this.shelf.announce({ model, ...progress });
            const tenth = Math.floor((10 * progress.receivedBytes) / (progress.totalBytes ?? Number.POSITIVE_INFINITY));
            if (tenth > saidTenth) this.#say(`Model: ${model} is ${tenth * 10} % downloaded.`);
            saidTenth = Math.max(saidTenth, tenth);
          },
        });
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        this.shelf.announce(null);
        this.shelf.explain('download-failed');
        this.#say(`Model: rehearsal, because ${failureText(error)}; trying again in ${Math.round(pauseMs / 1000)} s.`);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
    return false;
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof DownloadError)) return 'the download failed';
  switch (error.code) {
    case 'offline':
      return 'there is no way to the download server';
    case 'refused':
      return 'the download server refused';
    case 'no-digest':
      return 'the download server names no SHA-256 to check the model against';
    case 'cut':
      return 'the download was cut';
    case 'wrong-length':
    case 'wrong-digest':
      return 'what was downloaded was not the model';
    case 'disk-full':
      return 'the disk is full';
    case 'disk':
      return 'the model folder cannot be written';
  }
}

function hostOf(url: string): string {
  const socketPath = readSocketPath(url);
  if (socketPath !== null) return socketPath;
  return URL.canParse(url) ? new URL(url).host : 'given';
}
