import { LogoMark } from '../../design/display/wordmark.tsx';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { say } from '../../texts/say.ts';

/** A person may begin with one of these; `\n\n` stands behind those that want a text. */
const suggestions = [
  { name: 'talk', end: '' },
  { name: 'letter', end: '\n\n' },
  { name: 'think', end: '' },
  { name: 'kind', end: '\n\n' },
] as const;

type EmptyChatProps = { readonly onSuggestion: (text: string) => void };

export function EmptyChat({ onSuggestion }: EmptyChatProps) {
  const view = useAppSelector((state) => state.enclave);
  return (
    <div className="grid min-h-24 flex-1 shrink-0 place-items-center overflow-y-auto px-4 py-8 short:py-2">
      <div className="w-full max-w-2xl">
        <LogoMark className="size-9 short:hidden" />
        <h2 className="mt-4 short:mt-0 font-serif text-page font-medium">{say('empty.heading')}</h2>
        <p className="mt-3 max-w-xl text-ink-soft">
          {say('empty.text')}
          {view.kind === 'verified' && view.evidenceKind === 'development' && <> {say('empty.development')}</>}
        </p>
        <ul className="mt-7 grid grid-cols-2 gap-3">
          {suggestions.map(({ name, end }) => (
            <li key={name}>
              <button
                type="button"
                onClick={() => onSuggestion(say(`suggestion.${name}-text`) + end)}
                className="h-full min-h-11 w-full rounded-card border border-line bg-surface px-4 py-3 text-left transition-colors hover:border-accent sm:px-5 sm:py-4"
              >
                <span className="block font-semibold">{say(`suggestion.${name}`)}</span>
                <span className="mt-0.5 line-clamp-2 hidden text-small text-ink-soft sm:[display:-webkit-box]">
                  {say(`suggestion.${name}-text`)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
