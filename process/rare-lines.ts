/** Equal lines within this time are counted and not said. */
const quietMs = 60_000;
const maximumKinds = 100;

/** Says each kind of line once a minute at most: a fault of a busy server would fill a log with one line a turn. */
export class RareLines<Line extends object> {
  readonly #say: (line: Line, unsaid: number) => void;
  readonly #nowMs: () => number;
  readonly #said = new Map<string, { atMs: number; unsaid: number }>();

  constructor(say: (line: Line, unsaid: number) => void, nowMs: () => number = () => performance.now()) {
    this.#say = say;
    this.#nowMs = nowMs;
  }

  add(line: Line): void {
    const key = JSON.stringify(line);
    const before = this.#said.get(key);
    const nowMs = this.#nowMs();
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.unsaid += 1;
      return;
    }
    if (this.#said.size >= maximumKinds) this.#said.clear();
    this.#said.set(key, { atMs: nowMs, unsaid: 0 });
    this.#say(line, before?.unsaid ?? 0);
  }
}
