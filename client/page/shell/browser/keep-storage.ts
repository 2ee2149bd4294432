/** Not every browser has it (WebKitGTK), whatever the types of the platform say. */
type PerhapsStorage = { readonly storage?: { readonly persist?: () => Promise<boolean> } };

/**
 * Asks the browser not to throw away what waits in its storage: unsent messages and drafts. The outcome changes nothing
 * for the caller, a browser without it included.
 */
export function askToKeepStorage(): void {
  const { storage } = navigator as PerhapsStorage;
  void storage?.persist?.().catch(() => false);
}
