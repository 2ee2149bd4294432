import { describe, expect, it } from 'vitest';
import type { PreferenceContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { type ItemRow, VaultContents } from '../../../../client/vault/store/vault-contents.ts';

const row = (id: string): ItemRow => ({
  id,
  version: 1,
  expiresAt: 0,
  flags: 0,
  counter: 1,
  storedAtMs: 0,
  turnId: null,
  length: 1110,
  bodyHash: new Uint8Array(32),
  bodyState: 'here',
});
const preference = (name: string, value: string, setAtMs: number): PreferenceContent => ({
  type: 'preference',
  format: 1,
  name,
  value,
  setAtMs,
});

describe('Preferences.newest', () => {
  const written = [
    ['a', preference('note', 'older', 1)],
    ['b', preference('note', 'newer', 2)],
    ['c', preference('note', 'newer and greater', 2)],
    ['d', preference('other', 'not asked for', 3)],
  ] as const;

  it('gives the last writer’s of a name, of equal times the greater value, in whatever order they come', () => {
    for (const order of [written, written.toReversed()]) {
      const contents = new VaultContents();
      for (const [id, content] of order) contents.set(row(id), content);
      expect(contents.preferences.newest('note')).toEqual({ id: 'c', preference: written[2][1] });
      expect(contents.preferences.newest('none')).toBeNull();
    }
  });

  it('forgets what was deleted, replaced or cleared', () => {
    const contents = new VaultContents();
    for (const [id, content] of written) contents.set(row(id), content);
    contents.set({ ...row('c'), version: 2, flags: 1 }, null);
    expect(contents.preferences.newest('note')?.id).toBe('b');
    contents.delete('b');
    expect(contents.preferences.newest('note')?.id).toBe('a');
    contents.set({ ...row('a'), version: 2 }, preference('other', 'renamed', 9));
    expect(contents.preferences.newest('note')).toBeNull();
    contents.clear();
    expect(contents.preferences.newest('other')).toBeNull();
  });
});
