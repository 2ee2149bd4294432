import { useState } from 'react';
import { changeText, protectionSentence } from '../../texts/of-values/protection-texts.ts';
import type { EnclaveView, ProtectionFacts } from '../../../vault/api/vault-api.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { say } from '../../texts/say.ts';

/**
 * Says aloud when another enclave stands behind the shield, or none any more: once for each change, never for a mere renewal.
 */
export function ProtectionAnnouncer() {
  const view = useAppSelector((state) => state.enclave);
  const [known, setKnown] = useState<ProtectionFacts | null>(null);
  /** Why nothing can be sent, as it was said last. */
  const [loss, setLoss] = useState<Loss | null>(null);
  const [text, setText] = useState('');

  const facts = factsOf(view);
  if (facts !== null && (known === null || isOther(known, facts))) {
    if (known !== null) setText(say('protection.other-enclave', { change: changeText(known, facts) }));
    setKnown(facts);
  }
  if (facts !== null && loss !== null) {
    setLoss(null);
    const sentence = protectionSentence(view);
    setText(
      loss.kind === 'refused'
        ? say('protection.accepted-again', { sentence })
        : say('protection.reached-again', { sentence }),
    );
  }
  const lost = lossOf(view);
  if (lost !== null && lost.text !== loss?.text) {
    setLoss(lost);
    setText(lost.text);
  }
  return (
    <output aria-live="polite" aria-atomic="true" data-announcer="protection" className="sr-only">
      {text}
    </output>
  );
}

type Loss = { readonly kind: 'refused' | 'unreachable'; readonly text: string };

/** The line above the conversation says so where the relay itself is away. */
function lossOf(view: EnclaveView): Loss | null {
  if (view.kind !== 'refused' && view.kind !== 'unreachable') return null;
  if (view.kind === 'unreachable' && view.failure.code === 'relay-unreachable') return null;
  return { kind: view.kind, text: protectionSentence(view) };
}

function factsOf(view: EnclaveView): ProtectionFacts | null {
  if (view.kind !== 'verified') return null;
  const { evidenceKind, level, model, measurement, release } = view;
  return { kind: evidenceKind, level, model, measurement, release: release?.version ?? null };
}

function isOther(a: ProtectionFacts, b: ProtectionFacts): boolean {
  return changeText(a, b) !== '' || a.measurement !== b.measurement;
}
