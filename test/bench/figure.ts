/** One line of the table. */
export type Figure = {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** Under which conditions, in a few words. */
  readonly note?: string;
};

/** @param values - in any order. */
export function percentile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ measure, value, unit, note }) => [measure, formatValue(value), unit, note ?? '']);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([measure = '', value = '', unit = '', note = '']) => {
      const cells = [measure.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), unit.padEnd(widths[2] ?? 0), note];
      return cells.join('  ').trimEnd();
    })
    .join('\n');
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1);
}
