/** Without the indent that all of its lines share. */
export function dedent(text: string): string {
  const lines = text.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const shared = indents.length === 0 ? 0 : Math.min(...indents);
  return shared === 0 ? text : lines.map((line) => line.slice(shared)).join('\n');
}
