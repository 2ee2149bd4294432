import { AttackedRelay } from '../parts/relay/under-load/attacked-relay.ts';
import { type WorstKind, worstFloodKinds, worstKinds } from '../parts/users/worst/worst-kinds.ts';
import { type Figure, percentile } from './figure.ts';

const measuredMs = 3_000;

type Worst = { readonly kind: WorstKind | 'nobody'; readonly blockMs: number };
type Measured = { readonly figures: readonly Figure[]; readonly worst: Worst; readonly memoryMiB: number };

/**
 * Measures what one caller's worst, of each kind in turn, takes from others: from their looks at `/livez`, and from a paced
 * turn.
 */
async function measureAll(kinds: readonly WorstKind[], isTls: boolean): Promise<Measured> {
  await using relay = await AttackedRelay.open(1, isTls);
  const figures: Figure[] = [];
  let worst: Worst = { kind: 'nobody', blockMs: 0 };
  for (const kind of [null, ...kinds]) {
    const { blocksMs, looksMs, turn } = await relay.measure(kind, measuredMs);
    const blockMs = Math.max(0, ...blocksMs);
    const name = kind ?? 'nobody';
    const memory = `${(relay.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB so far`;
    const note = `${name}; p95 ${percentile(looksMs, 0.95).toFixed(0)} ms, frame late at most ${turn.slowest.toFixed(0)} ms, ${memory}`;
    figures.push(
      { measure: 'slowest look at /livez', value: Math.max(...looksMs), unit: 'ms', note },
      { measure: 'longest turn of the event loop', value: blockMs, unit: 'ms CPU', note: name },
    );
    if (blockMs > worst.blockMs) worst = { kind: name, blockMs };
  }
  return { figures, worst, memoryMiB: relay.peakMemoryBytes / 2 ** 20 };
}

export async function benchWorstCaller(): Promise<Figure[]> {
  const calls = await measureAll(worstKinds, false);
  const floods = await measureAll(worstFloodKinds, true);
  const { worst } = calls.worst.blockMs > floods.worst.blockMs ? calls : floods;
  return [
    { measure: 'worst of all', value: worst.blockMs, unit: 'ms CPU', note: `${worst.kind}, aim 250` },
    { measure: 'most memory', value: calls.memoryMiB, unit: 'MiB', note: 'by calls' },
    { measure: 'most memory', value: floods.memoryMiB, unit: 'MiB', note: 'by floods over TLS' },
    ...calls.figures,
    ...floods.figures,
  ];
}
