import { downloadText } from '../../shell/browser/download-text.ts';
import { say } from '../../texts/say.ts';

/** Hands the words to the browser's own "save"; nothing is sent anywhere. */
export function downloadPhrase(words: readonly string[]): void {
  const numbered = words.map((word, index) => `${String(index + 1).padStart(2)}. ${word}`).join('\n');
  const text = `${say('phrase.file-title')}\n\n${words.join(' ')}\n\n${numbered}\n\n${say('phrase.file-end')}\n`;
  downloadText(say('phrase.file-name'), 'text/plain', text);
}
