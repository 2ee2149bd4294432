import { measureBudget } from '../../client/build/size-budget.ts';
import type { Figure } from './figure.ts';

/** First loads of the built client, compressed with brotli as the relay sends them. */
export async function benchBundleSizes(): Promise<Figure[]> {
  return measureBudget().map(({ bytes, files, maximumBytes, name }) => ({
    measure: name.startsWith('verifiers') ? name : `first load: ${name}`,
    value: bytes / 1024,
    unit: 'KiB',
    note: `${files.length} files, at most ${maximumBytes / 1024}`,
  }));
}
