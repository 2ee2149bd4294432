import { BenchRelay } from '../parts/relay/under-load/bench-relay.ts';
import { BrowserLoad } from '../parts/users/crowd/browser-load.ts';
import type { Figure } from './figure.ts';

const browsers = 100;
const warmUpMs = 2_000;
const measuredMs = 8_000;

/** How many frames a second one relay process passes on and stores when the worker sends as fast as they are taken. */
export async function benchFramesRelayed(): Promise<Figure[]> {
  await using bench = await BenchRelay.start({ browsers, mode: 'flood', turnsPerSecond: 200 });
  await using load = new BrowserLoad();
  await load.connect(bench.settings);
  await load.started();
  bench.worker.send({ begin: true });
  await new Promise((resolve) => setTimeout(resolve, warmUpMs));
  const [cpuBefore, storedBefore] = [bench.relay.cpuSeconds, bench.countStored()];
  const { frames, missing, seconds } = await load.measure(measuredMs);
  const cpu = bench.relay.cpuSeconds - cpuBefore;
  const stored = bench.countStored() - storedBefore;
  if (missing > 0) throw new Error(`${missing} frames came out of order.`);
  return [
    {
      measure: 'frames relayed',
      value: frames / seconds,
      unit: '/s',
      note: `to ${browsers} browsers, as fast as they go`,
    },
    {
      measure: 'frames stored',
      value: stored / seconds,
      unit: '/s',
      note: 'in SQLite meanwhile; the rest is asked for again',
    },
    {
      measure: 'relay time a frame',
      value: (cpu / frames) * 1e6,
      unit: 'µs',
      note: 'processor time, storage included',
    },
  ];
}
