import type { PreferenceContent } from '../../../crypto/protocol/contents/item-contents.ts';

/** A preference with the item that holds it. */
export type KeptPreference = { readonly id: string; readonly preference: PreferenceContent };

/** Small things of the account by their items: two devices may each have made one of a name. */
export class Preferences extends Map<string, PreferenceContent> {
  /** The preference of one name that counts. */
  newest(name: string): KeptPreference | null {
    return newestOf(name, this);
  }
}

/** The last writer's preference counts; of equal times the greater value, so that all devices agree (SPEC.md §5.1). */
export function newestOf(name: string, preferences: Iterable<[string, PreferenceContent]>): KeptPreference | null {
  let newest: KeptPreference | null = null;
  for (const [id, preference] of preferences) {
    if (preference.name !== name) continue;
    if (newest === null || isLaterPreference(preference, newest.preference)) newest = { id, preference };
  }
  return newest;
}

/** True where the first takes the place of the second, of the same name. */
export function isLaterPreference(a: PreferenceContent, b: PreferenceContent): boolean {
  return a.setAtMs > b.setAtMs || (a.setAtMs === b.setAtMs && a.value > b.value);
}
