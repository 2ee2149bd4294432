import { systemRefused } from './complaint-words.ts';

/** Members of a request that some servers refuse, also without a word; the last one to be given up stands last. */
const blindly = ['stream_options', 'chat_template_kwargs', 'max_tokens', 'cache_salt'] as const;
/** Left out where a server names it: a person's own wish, a stream, or a message of its own for the system. */
const named = ['temperature', 'top_p', 'stream', 'system_role'] as const;
export const extensions = [...blindly, ...named] as const;
export type Extension = (typeof extensions)[number];

const complaints: Readonly<Partial<Record<Extension, RegExp>>> = {
  stream: /['"`]stream['"`](?!:)|streaming (is |was )?(not|un)/i,
  system_role: systemRefused,
};

/** After so long a server that was given another version may take them. */
const retrialMs = 3_600_000;

/** Remembers what one model server was found not to take: a switch for each extension. */
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
   * @param complaint - The server's words; looked at for the names alone. One that has them all repeats the request.
   */
  namedIn(complaint: string, sent: readonly Extension[]): readonly Extension[] {
    const found = sent.filter((extension) => complaints[extension]?.test(complaint) ?? complaint.includes(extension));
    const literal = literalIn(sent);
    return literal > 1 && literalIn(found) === literal ? [] : found;
  }

  /** True if these may be left out at all. */
  mayDrop(dropped: readonly Extension[]): boolean {
    return !this.#needsSalt || !dropped.includes('cache_salt');
  }

  /** Names what to leave out, try by try, where a complaint names nothing: one, then two, and so on. */
  trials(sent: readonly Extension[]): readonly (readonly Extension[])[] {
    const candidates = blindly.filter((extension) => sent.includes(extension));
    return subsetsOf(candidates).filter((trial) => this.mayDrop(trial));
  }
}

/** How many there are that a complaint names by their own names. */
function literalIn(list: readonly Extension[]): number {
  return list.filter((extension) => complaints[extension] === undefined).length;
}

/** Smaller ones first; of one size those that give up what matters least. */
function subsetsOf(sent: readonly Extension[]): Extension[][] {
  const all = Array.from({ length: 2 ** sent.length - 1 }, (_, index) =>
    sent.filter((_extension, place) => ((index + 1) >> place) & 1),
  );
  return all.toSorted((a, b) => a.length - b.length);
}
