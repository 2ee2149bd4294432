export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Two digits a byte with a space between, so that lines break anywhere. */
export function formatHex(hex: string): string {
  return hex.match(/../g)?.join(' ') ?? '';
}
