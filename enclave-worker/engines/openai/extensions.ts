/** Members of a request that some servers refuse; the last one to be given up stands last. */
export const extensions = ['stream_options', 'chat_template_kwargs', 'max_tokens', 'cache_salt'] as const;
export type Extension = (typeof extensions)[number];

/** After so long a server that was given another version may take them. */
const retrialMs = 3_600_000;

/** What one model server was found not to take: a switch for each extension. */
export class ExtensionSwitches {
  readonly #offUntilMs = new Map<Extension, number>();
  readonly #needsSalt: boolean;
  readonly #nowMs: () => number;

  /** @param needsSalt - The separation of prompt caches is promised: without it nothing is asked. */
  constructor(needsSalt: boolean, nowMs: () => number) {
    this.#needsSalt = needsSalt;
    this.#nowMs = nowMs;
  }

  isOn(extension: Extension): boolean {
    return (this.#offUntilMs.get(extension) ?? 0) <= this.#nowMs();
  }

  switchOff(off: readonly Extension[]): void {
    for (const extension of off) this.#offUntilMs.set(extension, this.#nowMs() + retrialMs);
  }

  /**
   * Which of those that were sent a complaint names.
   *
   * @param complaint - What the server said; looked at for the names alone. One that has them all repeats the request.
   */
  namedIn(complaint: string, sent: readonly Extension[]): readonly Extension[] {
    const named = sent.filter((extension) => complaint.includes(extension));
    return named.length < sent.length || sent.length === 1 ? named : [];
  }

  /** Whether these may be left out at all. */
  mayDrop(dropped: readonly Extension[]): boolean {
    return !this.#needsSalt || !dropped.includes('cache_salt');
  }

  /** What to leave out, try by try, where a complaint names nothing: one, then two, and so on. */
  trials(sent: readonly Extension[]): readonly (readonly Extension[])[] {
    return subsetsOf(sent).filter((trial) => this.mayDrop(trial));
  }
}

/** Smaller ones first; of one size those that give up what matters least. */
function subsetsOf(sent: readonly Extension[]): Extension[][] {
  const all = Array.from({ length: 2 ** sent.length - 1 }, (_, index) =>
    sent.filter((_extension, place) => ((index + 1) >> place) & 1),
  );
  return all.toSorted((a, b) => a.length - b.length);
}
