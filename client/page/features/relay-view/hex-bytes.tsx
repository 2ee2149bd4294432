import { useState } from 'react';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { formatHex, hexOf } from './hex-text.ts';
import { say } from '../../texts/say.ts';

type HexBytesProps = { readonly id: string; readonly firstBytesHex: string; readonly length: number };

/** More at once would make the page slow and nobody wiser. */
const stepBytes = 8192;

/** Some of the bytes, and all of them for who wants to see. */
export function HexBytes({ id, firstBytesHex, length }: HexBytesProps) {
  const vault = useVault();
  const [bytes, setBytes] = useState<Uint8Array | null>(null);
  const [shownLength, setShownLength] = useState(0);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function showMore() {
    if (bytes !== null) {
      setShownLength(Math.min(bytes.length, shownLength + stepBytes));
      return;
    }
    setBusy(true);
    const result = await vault.call((api) => api.relayBytes({ id }));
    setBusy(false);
    setFailure(result.ok ? null : failureText(result.failure));
    if (!result.ok) return;
    setBytes(result.value);
    setShownLength(Math.min(result.value.length, stepBytes));
  }

  const hex = bytes === null ? firstBytesHex : hexOf(bytes.subarray(0, shownLength));
  const total = bytes?.length ?? length;
  const left = total - hex.length / 2;
  return (
    <>
      <p className="sr-only">{say('relay-view.bytes-spoken', { count: total })}</p>
      <div
        // A screen reader spells nothing out here; the sentence before says what it is.
        aria-hidden="true"
        className={`font-mono text-fine leading-relaxed break-words ${bytes === null ? 'max-h-24 overflow-hidden [mask-image:linear-gradient(#000_60%,transparent)]' : ''}`}
        dir="ltr"
        translate="no"
      >
        {formatHex(hex)}
        {left > 0 && ' …'}
      </div>
      <p className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-fine text-machine-faint">
        <span>{say('relay-view.bytes', { count: total })}</span>
        {left > 0 && (
          <button
            type="button"
            disabled={busy}
            onClick={() => void showMore()}
            className="min-h-8 rounded text-machine-ink underline underline-offset-4 focus-visible:outline-machine-ink touch:min-h-11"
          >
            {busy
              ? say('relay-view.fetching')
              : bytes === null
                ? say('relay-view.all-bytes')
                : say('relay-view.more-bytes')}
          </button>
        )}
        {failure !== null && <span role="alert">{failure}</span>}
      </p>
    </>
  );
}
