/** Hands the words to the browser's own "save"; nothing is sent anywhere. */
export function downloadPhrase(words: readonly string[]): void {
  const numbered = words.map((word, index) => `${String(index + 1).padStart(2)}. ${word}`).join('\n');
  const text = `Sotto recovery phrase\n\n${words.join(' ')}\n\n${numbered}\n\nWhoever has these words can read everything in the account.\n`;
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = 'sotto-recovery-phrase.txt';
  link.click();
  URL.revokeObjectURL(address);
}
