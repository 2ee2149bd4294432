/** Numbers that look random and are the same on every run (mulberry32). @returns a function that gives 0 to limit - 1. */
export function seededNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** One to three edits: a bit, a byte, a cut, an insertion, a copied stretch, an end that is missing or doubled. */
export function mutate(bytes: Uint8Array, next: (limit: number) => number): Uint8Array<ArrayBuffer> {
  let changed = Uint8Array.from(bytes);
  for (let edits = 1 + next(3); edits > 0; edits--) {
    const at = next(changed.length + 1);
    const until = Math.min(at + 1 + next(16), changed.length);
    const [before, middle, after] = [changed.subarray(0, at), changed.subarray(at, until), changed.subarray(until)];
    const joined = [
      () => [before, middle.map((byte) => byte ^ (1 << next(8))), after],
      () => [before, middle.map(() => next(256)), after],
      () => [before, middle.map(() => [0, 0x7f, 0x80, 0xff][next(4)] ?? 0), after],
      () => [before, after],
      () => [before, middle, middle, after],
      () => [before, Uint8Array.from({ length: 1 + next(4) }, () => next(256)), middle, after],
      () => [before],
      () => [changed, before],
    ][next(8)]?.() ?? [changed];
    changed = new Uint8Array(Buffer.concat(joined));
  }
  return changed;
}
