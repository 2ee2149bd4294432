import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../../../../client/page/design/styles/tokens.css'), 'utf8');

/** Each colour as its light and its dark value. */
const tokens = new Map(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name!,
    [light!, dark!] as const,
  ]),
);

function luminance(hex: string): number {
  const channels = [1, 3, 5].map((start) => {
    const value = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * channels[0]! + 0.7152 * channels[1]! + 0.0722 * channels[2]!;
}

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function both(foreground: string, background: string): number {
  const [f, b] = [tokens.get(foreground)!, tokens.get(background)!];
  return Math.min(contrast(f[0], b[0]), contrast(f[1], b[1]));
}

const grounds = ['paper', 'surface', 'sunken', 'raised'];

describe('text has 4.5:1 in both themes', () => {
  const pairs = [
    ...['ink', 'ink-soft', 'ink-faint', 'accent', 'danger'].flatMap((ink) => grounds.map((ground) => [ink, ground])),
    ...['ink', 'accent', 'ink-soft'].map((ink) => [ink, 'accent-soft']),
    ['accent-ink', 'accent'],
    ['accent-ink', 'accent-strong'],
    ['paper', 'danger'],
    ['danger', 'danger-soft'],
    ['caution', 'caution-soft'],
    ['caution', 'raised'],
    ['ink', 'caution-soft'],
    ['machine-ink', 'machine'],
    ['machine-faint', 'machine'],
    ...['code-keyword', 'code-string', 'code-number', 'code-title', 'code-comment'].map((ink) => [ink, 'sunken']),
  ] as [string, string][];
  test.each(pairs)('%s on %s', (foreground, background) => {
    expect(both(foreground, background)).toBeGreaterThanOrEqual(4.5);
  });
});

describe('borders of controls have 3:1 in both themes', () => {
  test.each(grounds)('line-strong on %s', (ground) => {
    expect(both('line-strong', ground)).toBeGreaterThanOrEqual(3);
  });
});

test('the measure itself: black on white is 21:1', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(tokens.size).toBeGreaterThan(20);
});
