import { AttackedRelay } from '../parts/attacked-relay.ts';
import { type WorstKind, worstKinds } from '../parts/worst-kinds.ts';
import { type Figure, percentile } from './parts/figure.ts';

const measuredMs = 3_000;

/** What one caller's worst, of each kind in turn, takes from others: from their looks at `/livez`, and from a paced turn. */
export async function benchWorstCaller(): Promise<Figure[]> {
  await using relay = await AttackedRelay.open(1);
  const figures: Figure[] = [];
  let worst: { readonly kind: WorstKind | 'nobody'; readonly blockMs: number; readonly lookMs: number } | null = null;
  for (const kind of [null, ...worstKinds]) {
    const { blocksMs, looksMs, turn } = await relay.measure(kind, measuredMs);
    const blockMs = Math.max(0, ...blocksMs);
    const lookMs = Math.max(...looksMs);
    const note = `${kind ?? 'nobody'}; p95 ${percentile(looksMs, 0.95).toFixed(0)} ms, frame late at most ${turn.slowest.toFixed(0)} ms`;
    figures.push(
      { measure: 'slowest look at /livez', value: lookMs, unit: 'ms', note },
      { measure: 'longest turn of the event loop', value: blockMs, unit: 'ms CPU', note: kind ?? 'nobody' },
    );
    if (worst === null || blockMs > worst.blockMs) worst = { kind: kind ?? 'nobody', blockMs, lookMs };
  }
  return [
    { measure: 'worst of all', value: worst?.blockMs ?? 0, unit: 'ms CPU', note: `${worst?.kind ?? ''}, aim 250` },
    { measure: 'most memory', value: relay.peakMemoryBytes / 2 ** 20, unit: 'MiB' },
    ...figures,
  ];
}
