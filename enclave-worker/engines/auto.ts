import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineReason } from '../../crypto/protocol/messages/enclave-messages.ts';
import { EngineShelf } from './engine-shelf.ts';
import { GgufEngine, modelNameOf } from './gguf/gguf.ts';
import { DownloadError, downloadModel } from './weights/model-download.ts';
import { ModelServer } from './model-server.ts';
import { defaultModel, type ModelSource } from './weights/model-source.ts';
import type { UpstreamProblem } from './openai/openai.ts';
import { RehearsalEngine } from './rehearsal.ts';
import { digestWeights, type WeightsSource } from './weights/weights-digest.ts';

/** These settings choose an engine. */
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
  /** The weights must have this digest, or nothing is answered with them; null: any weights. */
  readonly modelDigest?: string | null;
  readonly dataFolder: string;
  /** Somebody relies on what keeps conversations apart: a server that does not take it is not asked. */
  readonly needsSalt?: boolean;
};

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
  readonly #source: ModelSource;
  readonly #closing = new AbortController();
  readonly #rehearsal = new RehearsalEngine();
  #server: ModelServer | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(input: {
    readonly settings: EngineSettings;
    /** A line for whoever watches the terminal. */
    readonly say: (text: string) => void;
    /** Tells the operator what a model server refused. */
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
    await this.#server?.close();
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

  async #startServer(given: NonNullable<EngineSettings['server']>, weightsDigest: string | null): Promise<void> {
    const { baseUrl, apiKey, model } = given;
    const server = new ModelServer({
      baseUrl,
      apiKey,
      model,
      weightsDigest,
      isVouchedFor: this.#settings.needsSalt ?? false,
      reason: this.#settings.engine === 'openai' ? 'chosen-by-setting' : 'server-given',
      shelf: this.shelf,
      signal: this.#closing.signal,
      say: this.#say,
      onProblem: this.#onProblem,
    });
    this.#server = server;
    await server.start();
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
    this.#say(`Model: rehearsal, until ${model} is downloaded from ${new URL(this.#source.url).host}.`);
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
