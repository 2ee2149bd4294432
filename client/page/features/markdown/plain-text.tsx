import { breakGiants } from './giant-characters.ts';

/** Words as they are, in their column. */
export function PlainText({ text }: { readonly text: string }) {
  return (
    <div dir="auto" className="wrap-anywhere whitespace-pre-wrap">
      {dedent(breakGiants(text).replaceAll(/^(?:[ \t]*\n)+|\s+$/g, ''))}
    </div>
  );
}

/** Without the indent that all of its lines share. */
export function dedent(text: string): string {
  const lines = text.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const shared = indents.length === 0 ? 0 : Math.min(...indents);
  return shared === 0 ? text : lines.map((line) => line.slice(shared)).join('\n');
}
