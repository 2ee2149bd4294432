import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineReason } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { EngineShelf } from './engine-shelf.ts';
import { OpenAiEngine, type UpstreamProblem } from './openai/openai.ts';
import { readableName } from './openai/model-list.ts';
import {
  chooseModel,
  choiceText,
  type ChosenModel,
  lists,
  patientMs,
  probeServer,
  problemText,
  type ServerState,
} from './openai/server-search.ts';
import { readSocketPath } from '../../process/settings/value-kinds.ts';
import { UpstreamCaller } from './openai/wire/upstream-call.ts';

const firstPauseMs = 1_000;
const longestPauseMs = 15_000;

export type ModelServerDependencies = {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** The model that the settings name; else the first of the server's list that answers questions. */
  readonly model: string | undefined;
  readonly weightsDigest: string | null;
  /** Statements about its model are shown to strangers: another one is not answered with, under no name. */
  readonly isVouchedFor: boolean;
  readonly reason: EngineReason;
  readonly shelf: EngineShelf;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly onProblem: (problem: UpstreamProblem) => void;
};

/** The model server that the settings name, from the moment that it answers, and whatever it is restarted with. */
export class ModelServer {
  readonly #dependencies: ModelServerDependencies;
  readonly #caller: UpstreamCaller;
  readonly #host: string;
  #engine: OpenAiEngine | null = null;
  /** The model was on the server's list once: when it is so no longer, something else would answer. */
  #wasListed = false;
  #listed: ReadonlySet<string> = new Set();
  /** Answers name the model that was asked for. Services that choose one themselves name another from the first on. */
  #namesItself = false;
  #waiting: Promise<void> | null = null;
  #said = '';

  constructor(dependencies: ModelServerDependencies) {
    this.#dependencies = dependencies;
    this.#caller = new UpstreamCaller(dependencies.baseUrl, dependencies.apiKey);
    this.#host = hostOf(dependencies.baseUrl);
  }

  /** Resolves once it is settled what answers first: two seconds at most. */
  async start(): Promise<void> {
    if (await this.#look()) return;
    const { model: id, shelf } = this.#dependencies;
    // Under its own name at once, where that is known: nobody who asks for it is given a rehearsal instead.
    if (id !== undefined) this.#use({ model: readableName(id), serverModel: id }, shelf.status.reason, false);
    this.#wait();
  }

  /** Resolves when nothing more is asked, behind the signal. */
  async close(): Promise<void> {
    await this.#waiting;
  }

  #wait(): void {
    if (this.#dependencies.signal.aborted) return;
    this.#waiting ??= this.#lookUntilThere().finally(() => {
      this.#waiting = null;
    });
  }

  async #lookUntilThere(): Promise<void> {
    const { signal } = this.#dependencies;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || (await this.#look(patientMs).catch(() => false))) return;
    }
  }

  async #look(withinMs?: number): Promise<boolean> {
    return this.#take(await probeServer(this.#caller, this.#dependencies.signal, withinMs));
  }

  /** @returns whether it answers questions now. */
  #take(state: ServerState): boolean {
    if (state.kind === 'up') this.#listed = new Set(state.models?.map(({ id }) => id));
    const { apiKey, reason, shelf } = this.#dependencies;
    const named = this.#named;
    const chosen = chooseModel(state, named);
    const isGone = named !== undefined && this.#wasListed && lists(state, named) === false;
    if (chosen === null || isGone) {
      // Where another one may be taken, there is none now; and this one does not answer any more.
      if (named === undefined && state.kind === 'up') this.#dropEngine();
      shelf.explain(state.kind === 'loading' ? 'model-loading' : 'server-unreachable', this.#isStandIn);
      this.#say(`Model server ${this.#host} ${problemText(state, apiKey !== undefined, isGone ? named : undefined)}`);
      return false;
    }
    this.#wasListed = lists(state, chosen.serverModel) === true;
    this.#use(chosen, reason, true);
    this.#say(choiceText(chosen, state, this.#host));
    return true;
  }

  /** The one model that may be asked: by the settings, or because somebody was told so. */
  get #named(): string | undefined {
    const { isVouchedFor, model } = this.#dependencies;
    return model ?? (isVouchedFor ? this.#engine?.serverModel : undefined);
  }

  /** True while the rehearsal engine answers meanwhile; it always can. */
  get #isStandIn(): boolean {
    return this.#engine === null && this.#dependencies.shelf.isReady;
  }

  #use(chosen: ChosenModel, reason: EngineReason, isReady: boolean): void {
    const isSame = this.#engine?.model === chosen.model && this.#engine.serverModel === chosen.serverModel;
    if (!isSame) this.#dropEngine();
    this.#engine ??= this.#makeEngine(chosen);
    this.#dependencies.shelf.use(this.#engine, reason, isReady);
  }

  /** From now on nobody can ask for it; the server answers under its name with something else. */
  #dropEngine(): void {
    if (this.#engine !== null) this.#dependencies.shelf.drop(this.#engine);
    this.#namesItself = false;
    this.#engine = null;
  }

  #makeEngine({ model, serverModel }: ChosenModel): OpenAiEngine {
    const { isVouchedFor, onProblem, weightsDigest } = this.#dependencies;
    return new OpenAiEngine({
      caller: this.#caller,
      model,
      serverModel,
      weightsDigest,
      needsSalt: isVouchedFor,
      onProblem,
      mayAnswer: (named) => this.#mayAnswer(serverModel, named),
      isStillServed: () => this.#isStillServed(serverModel),
      onUnreachable: () => this.#isAway(),
      onUnknownModel: () => void this.#lookAgain().catch(() => {}),
    });
  }

  #isAway(): void {
    if (this.#waiting !== null || this.#dependencies.signal.aborted) return;
    this.#dependencies.shelf.explain('server-unreachable', false);
    this.#say('The model server does not answer any more; trying again.');
    this.#wait();
  }

  async #lookAgain(): Promise<void> {
    if (this.#waiting === null && !(await this.#look(patientMs))) this.#wait();
  }

  /** Some answer with the model that is loaded, under whatever name they are asked. */
  #mayAnswer(serverModel: string, named: string): boolean {
    const isCurrent = this.#engine?.serverModel === serverModel;
    if (named === serverModel) this.#namesItself ||= isCurrent;
    const isAnother = named !== serverModel && this.#listed.has(named);
    const { isVouchedFor, reason, say } = this.#dependencies;
    if (!isAnother || (isCurrent && !this.#namesItself && !isVouchedFor)) return true;
    if (isCurrent && this.#named === undefined) {
      const chosen = { model: readableName(named), serverModel: named };
      this.#use(chosen, reason, true);
      this.#say(`The server ${this.#host} answers with another model now. Model: ${chosen.model}.`);
    } else if (isCurrent) {
      say(
        `The server ${this.#host} answers with ${named} instead of ${serverModel}; nothing is given out under that name.`,
      );
    }
    return false;
  }

  /** Asked when the server may be another than the one whose list was read. @returns null when it does not say. */
  async #isStillServed(serverModel: string): Promise<boolean | null> {
    if (!this.#wasListed && this.#engine?.serverModel === serverModel) return true;
    const state = await probeServer(this.#caller, this.#dependencies.signal, patientMs);
    const isThere = lists(state, serverModel);
    if (isThere === false && !this.#take(state)) this.#wait();
    return isThere;
  }

  #say(text: string): void {
    if (text !== this.#said) this.#dependencies.say(text);
    this.#said = text;
  }
}

function hostOf(url: string): string {
  const socketPath = readSocketPath(url);
  if (socketPath !== null) return socketPath;
  return URL.canParse(url) ? new URL(url).host : 'given';
}
