const openable: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
const longestAddress = 8192;

/** The address in full when it may be opened after a question, else an empty string. Relative ones would lead into Sotto itself. */
export function safeAddress(address: string): string {
  if (address.length > longestAddress || !URL.canParse(address)) return '';
  const url = new URL(address);
  return openable.has(url.protocol) ? url.href : '';
}
