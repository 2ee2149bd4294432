import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref } from 'react';
import { ArrowUpIcon, StopIcon } from '../../design/display/icons.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { type MessageProblem, messageProblem, messageProblemText, unkeptText } from '../../state/message-check.ts';
import { selectActiveTurnId } from '../../state/selectors.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { useAppSelector, useVault } from '../../shell/context/app-context.tsx';
import { RefusedNotice } from '../shield/refused-notice.tsx';
import { ShieldButton } from '../shield/shield-button.tsx';
import { EngineLine } from './engine-line.tsx';
import { askToKeepStorage } from '../../shell/browser/keep-storage.ts';
import { useDraft } from './use-draft.ts';
import { useFilesRefused } from './use-files-refused.ts';
import { useTextDirection } from './use-text-direction.ts';
import { say } from '../../texts/say.ts';

export type ComposerHandle = { readonly focus: () => void; readonly fill: (text: string) => void };

type ComposerProps = {
  readonly conversationId: string | null;
  readonly onSent: (conversationId: string, turnId: string) => void;
  readonly onShowShield: () => void;
  readonly ref: Ref<ComposerHandle>;
};

type Failed = {
  readonly conversationId: string | null;
  readonly failure: VaultFailure;
  /** Names what was kept. */
  readonly kept: string;
};

const roundButton =
  'inline-flex size-11 shrink-0 items-center justify-center rounded-full bg-accent text-accent-ink transition-colors ' +
  'hover:bg-accent-strong aria-disabled:opacity-45';

/** The message box. The typed text lives here, not in the store: a key press renders nothing else. */
export function Composer({ conversationId, onSent, onShowShield, ref }: ComposerProps) {
  const vault = useVault();
  const box = useRef<HTMLTextAreaElement>(null);
  const draft = useDraft(conversationId);
  const direction = useTextDirection(draft.text);
  const [sending, setSending] = useState(false);
  /** Why the last press of Send did nothing; for the text and the reply that it was pressed on. */
  const [unsent, setUnsent] = useState<MessageProblem | null>(null);
  /** The same words again are a new alert: a second press is answered too. */
  const [presses, setPresses] = useState(0);
  const files = useFilesRefused();
  const [failed, setFailed] = useState<Failed | null>(null);
  const shown = failed?.conversationId === conversationId ? failed : null;
  const failure = shown?.failure ?? null;
  const isRefused = useAppSelector((state) => state.enclave.kind === 'refused');
  const activeTurnId = useAppSelector((state) => selectActiveTurnId(state, conversationId));

  const isOver = unsent?.code === 'still-answering' && activeTurnId === null;
  const unkept = draft.unkept === null ? null : unkeptText(draft.unkept);
  const note = files.refused
    ? say('composer.no-files')
    : unsent === null || isOver
      ? unkept
      : messageProblemText(unsent);

  useImperativeHandle(ref, () => ({
    focus: () => box.current?.focus(),
    fill: (text) => {
      // A press loses nothing that was written before.
      draft.setText(draft.text.trim() === '' ? text : `${draft.text}\n\n${text}`);
      box.current?.focus();
    },
  }));
  useLayoutEffect(() => fitHeight(box.current), [draft.text]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let width = element.clientWidth;
    // A phone that is turned, a sidebar that goes: the same words take other lines.
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      fitHeight(element);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    // A phone would open its keyboard over the chat that one came to read.
    if (window.matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, [conversationId]);

  async function send() {
    const text = draft.text;
    files.takeBack();
    setPresses((count) => count + 1);
    const problem = messageProblem(text) ?? (activeTurnId === null ? null : ({ code: 'still-answering' } as const));
    setUnsent(text === '' ? null : problem);
    if (text === '' || problem !== null || sending) return;
    setSending(true);
    setFailed(null);
    const result = await vault.call((api) => api.send({ conversationId, text }));
    setSending(false);
    if (!result.ok) {
      setFailed({ conversationId, failure: result.failure, kept: say('composer.text-kept') });
      return;
    }
    // The vault holds the words from here on: what fails below loses none.
    draft.clear(text);
    onSent(result.value.conversationId, result.value.turnId);
    askToKeepStorage();
    if (window.matchMedia('(pointer: fine)').matches) box.current?.focus();
  }

  async function stop() {
    if (activeTurnId === null) return;
    const result = await vault.call((api) => api.stop({ turnId: activeTurnId }));
    if (!result.ok) setFailed({ conversationId, failure: result.failure, kept: say('composer.answer-goes-on') });
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key === 'Enter' && !event.shiftKey && !isComposing(event)) {
      event.preventDefault();
      void send();
    }
    if (event.key === 'Escape' && activeTurnId !== null && !isComposing(event)) void stop();
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      // Above the edge of the thread, which fades into the ring of the focus else.
      className="relative mx-auto w-full max-w-3xl px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-6 sm:pb-5 short:pb-1.5 print:hidden"
    >
      <EngineLine conversationId={conversationId} />
      <RefusedNotice
        conversationId={conversationId}
        attempted={isRefused && failure?.code === 'evidence-refused'}
        onShowChecks={onShowShield}
      />
      {failure !== null && failure.code !== 'evidence-refused' && (
        <Notice tone="danger" urgent className="mb-3 text-small">
          {failureText(failure, shown?.kept)}
        </Notice>
      )}
      {note !== null && (
        <Notice key={presses + files.times} tone="caution" urgent className="mb-3 text-small">
          <span id="message-note">{note}</span>
        </Notice>
      )}
      <div className="rounded-[1.5rem] border border-line-strong bg-raised shadow-low transition-colors focus-within:border-accent focus-within:ring-1 focus-within:ring-accent short:flex short:items-end">
        <label htmlFor="message" className="sr-only">
          {say('composer.message')}
        </label>
        <textarea
          ref={box}
          id="message"
          rows={1}
          dir={direction.dir}
          // "off" also keeps the browser from writing it to disk for its own session restore.
          autoComplete="off"
          enterKeyHint="send"
          placeholder={say('composer.placeholder')}
          value={draft.text}
          aria-describedby={note === null ? undefined : 'message-note'}
          onChange={(event) => {
            setUnsent(null);
            files.takeBack();
            draft.setText(event.target.value);
            direction.expect();
          }}
          onPaste={(event) => direction.expect(event.clipboardData.getData('text/plain'))}
          onDrop={(event) => direction.expect(event.dataTransfer.getData('text/plain'))}
          onKeyDown={onKeyDown}
          readOnly={sending}
          className="block max-h-[min(40dvh,20rem)] w-full resize-none bg-transparent px-5 pt-4 pb-1 leading-relaxed outline-none placeholder:text-ink-faint short:max-h-[30dvh] short:min-w-0 short:flex-1 short:py-2.5 short:pr-0 short:pl-4"
        />
        <div className="flex items-end justify-between gap-3 p-2 short:gap-1 short:p-1">
          <ShieldButton onPress={onShowShield} />
          {activeTurnId === null ? (
            <button
              type="submit"
              aria-label={say('composer.send')}
              title={say('composer.send')}
              aria-disabled={draft.text.trim() === '' || sending}
              className={roundButton}
            >
              <ArrowUpIcon />
            </button>
          ) : (
            <button
              type="button"
              aria-label={say('composer.stop')}
              title={say('composer.stop-key')}
              onClick={() => void stop()}
              className={roundButton}
            >
              <StopIcon />
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

/** Enter that ends an input-method composition is not a send; Chrome on macOS shows it by key code 229 only. */
function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}

function fitHeight(box: HTMLTextAreaElement | null): void {
  if (box === null) return;
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight}px`;
}
