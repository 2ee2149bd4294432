import { Spinner } from '../../../design/display/spinner.tsx';
import { ChevronIcon } from '../../../design/display/icons.tsx';
import { say } from '../../../texts/say.ts';

type ReasoningProps = { readonly text: string; readonly thinking: boolean };

/** Shows what the model wrote for itself; closed until someone asks. */
export function Reasoning({ text, thinking }: ReasoningProps) {
  return (
    <details className="group/reasoning rounded-control border border-line">
      <summary className="flex min-h-10 list-none items-center gap-2.5 rounded-control px-3.5 text-small text-ink-soft hover:text-ink touch:min-h-11 [&::-webkit-details-marker]:hidden">
        {thinking ? (
          <Spinner />
        ) : (
          <ChevronIcon className="size-4 transition-transform group-open/reasoning:rotate-90" />
        )}
        {thinking ? say('thread.thinking') : say('thread.thoughts')}
      </summary>
      <div
        dir="auto"
        className="border-t border-line px-4 py-3 text-small wrap-anywhere whitespace-pre-wrap text-ink-soft"
      >
        {text}
      </div>
    </details>
  );
}
