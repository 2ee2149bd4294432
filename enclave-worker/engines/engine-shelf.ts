import type { EnclaveStatus, EngineReason } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { Engine } from './engine/engine.ts';

export type NextModel = NonNullable<EnclaveStatus['next']>;

/** The engines that can be asked now. A model that was named stays, since requests name it, until something else would answer under its name. */
export class EngineShelf {
  readonly #engines = new Map<string, Engine>();
  readonly #onChange: () => void;
  readonly #first: Engine;
  #current: Engine;
  #reason: EngineReason;
  #isReady = true;
  #next: NextModel | null = null;

  constructor(first: Engine, reason: EngineReason, onChange: () => void = () => {}) {
    this.#engines.set(first.model, first);
    this.#first = first;
    this.#current = first;
    this.#reason = reason;
    this.#onChange = onChange;
  }

  get current(): Engine {
    return this.#current;
  }

  /** True if the default can answer now. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get status(): EnclaveStatus {
    return { state: this.#isReady ? 'ready' : 'loading', reason: this.#reason, next: this.#next };
  }

  /** The default first. */
  get models(): string[] {
    return [...new Set([this.#current.model, ...this.#engines.keys()])];
  }

  /** @param model - A model's name, or `default`. */
  find(model: string): Engine | undefined {
    return model === 'default' ? this.#current : this.#engines.get(model);
  }

  /** From now on this engine is the default. */
  use(engine: Engine, reason: EngineReason, isReady = true): void {
    this.#engines.set(engine.model, engine);
    this.#current = engine;
    this.#next = null;
    this.explain(reason, isReady);
  }

  /** Nobody can ask for this one any more; what it answers now goes on. The first engine takes its place. */
  drop(engine: Engine): void {
    if (engine === this.#first || this.#engines.get(engine.model) !== engine) return;
    this.#engines.delete(engine.model);
    if (this.#current === engine) this.#current = this.#first;
    this.#onChange();
  }

  /** Says why the default is what it is, and whether it can answer now. */
  explain(reason: EngineReason, isReady = true): void {
    this.#reason = reason;
    this.#isReady = isReady;
    this.#onChange();
  }

  /** Names the model that will take over, and how far it is. */
  announce(next: NextModel | null): void {
    this.#next = next;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()));
  }
}
