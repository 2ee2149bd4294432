import { flushSync } from 'react-dom';

/*
 * How much of the replies is rendered in one task. A conversation that opens with long replies, or one reply of a megabyte,
 * would hold the page. Pieces beyond a task's budget wait for later tasks. The last to ask goes first: it stands at the end,
 * where the reader is.
 */
const budgetPerTask = 4000;
const msPerTask = 8;
const longestFrameMs = 300;

let spent = 0;
let isScheduled = false;
let turn = 0;
let isUnlimited = false;
const waiting: (() => void)[] = [];

/** Takes work of this cost (about letters of plain prose) if this task has room; the first always has. */
function takeNow(cost: number): boolean {
  if (isUnlimited) return true;
  if (spent > 0 && spent + cost > budgetPerTask) return false;
  spent += Math.max(1, cost);
  schedule();
  return true;
}

/**
 * How many pieces of one reply are rendered. It is kept beside React's state, because a render that failed is tried again in
 * the same task, which has no room left. It has to fail at the same piece once more, or that piece's guard never hears of it.
 */
export class MountedPieces {
  #count = 0;

  /** @returns how many of so many are rendered now, with those that this task has room for. */
  advance(length: number, costOf: (index: number) => number): number {
    let count = Math.min(this.#count, length);
    while (count < length && takeNow(costOf(count))) count += 1;
    this.#count = count;
    return count;
  }
}

/** For paper, which waits for no later task. */
export function mountAtOnce(isWanted: boolean): void {
  isUnlimited = isWanted;
}

/** Calls once a task has room. @returns how to take that back. */
export function whenThereIsRoom(render: () => void): () => void {
  waiting.push(render);
  schedule();
  return () => {
    const place = waiting.indexOf(render);
    if (place >= 0) waiting.splice(place, 1);
  };
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  turn += 1;
  const own = turn;
  // After the next frame, so that each task's layout is done before more is added; a hidden page has no frames.
  requestAnimationFrame(() => setTimeout(workOnce, 0));
  const timer = setTimeout(workOnce, longestFrameMs);
  function workOnce(): void {
    clearTimeout(timer);
    // Not a second time for one frame: both may be due behind a long one, and the first has scheduled the next.
    if (isScheduled && own === turn) work();
  }
}

function work(): void {
  isScheduled = false;
  spent = 0;
  const startedAtMs = performance.now();
  for (let render = waiting.pop(); render !== undefined; render = waiting.pop()) {
    flushSync(render);
    // The layout of a costly piece comes behind this task, so its time is not seen here.
    if (spent > budgetPerTask || performance.now() - startedAtMs > msPerTask) break;
    spent = 0;
  }
  if (waiting.length > 0) schedule();
}
