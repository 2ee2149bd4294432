import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Stands for a defect of the relay. Loaded into its process from the start, it does nothing until SIGWINCH comes: then it logs
 * a text that the test has put into a file, and keeps it, and keeps the bytes of another file outside V8's heap.
 */
const kept: unknown[] = [];
process.on('SIGWINCH', () => {
  const folder = process.env['PLANTED_FOLDER'] ?? '';
  const words = readFileSync(join(folder, 'words'), 'utf8');
  process.stdout.write(`a debug line that was forgotten: ${words}\n`);
  kept.push(words, readFileSync(join(folder, 'bytes')));
});
