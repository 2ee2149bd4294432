import { dedent } from '../source/dedent.ts';
import { breakGiants } from '../source/giant-characters.ts';

/** Words as they are, in their column. */
export function PlainText({ text }: { readonly text: string }) {
  return (
    <div dir="auto" className="wrap-anywhere whitespace-pre-wrap">
      {dedent(breakGiants(text).replaceAll(/^(?:[ \t]*\n)+|\s+$/g, ''))}
    </div>
  );
}
