import { LogoMark } from '../../design/wordmark.tsx';
import { useAppSelector } from '../../shell/app-context.tsx';

const suggestions = [
  { title: 'Prepare a hard talk', text: 'Help me prepare a difficult conversation with my manager about my workload.' },
  { title: 'Understand a letter', text: 'Explain this letter to me in plain words and tell me what I have to do:\n\n' },
  {
    title: 'Think it through',
    text: 'I have to decide between two options. Ask me questions, one at a time, until I see clearly.',
  },
  { title: 'Put it kindly', text: 'Rewrite this message so that it is clear and kind:\n\n' },
] as const;

type EmptyChatProps = { readonly onSuggestion: (text: string) => void };

export function EmptyChat({ onSuggestion }: EmptyChatProps) {
  const view = useAppSelector((state) => state.enclave);
  return (
    <div className="grid min-h-24 flex-1 shrink-0 place-items-center overflow-y-auto px-4 py-8 short:py-2">
      <div className="w-full max-w-2xl">
        <LogoMark className="size-9 short:hidden" />
        <h2 className="mt-4 short:mt-0 font-serif text-page font-medium">What is on your mind?</h2>
        <p className="mt-3 max-w-xl text-ink-soft">
          Your words are sealed before they leave this browser. The relay that carries them cannot read them; the
          enclave that answers has to, while it answers.
          {view.kind === 'verified' && view.evidenceKind === 'development' && (
            <> Here nothing keeps out the person who runs its machine.</>
          )}
        </p>
        <ul className="mt-7 grid grid-cols-2 gap-3">
          {suggestions.map(({ title, text }) => (
            <li key={title}>
              <button
                type="button"
                onClick={() => onSuggestion(text)}
                className="h-full min-h-11 w-full rounded-card border border-line bg-surface px-4 py-3 text-left transition-colors hover:border-accent sm:px-5 sm:py-4"
              >
                <span className="block font-semibold">{title}</span>
                <span className="mt-0.5 line-clamp-2 hidden text-small text-ink-soft sm:[display:-webkit-box]">
                  {text.trim()}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
