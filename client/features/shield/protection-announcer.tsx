import { useState } from 'react';
import { changeText, protectionSentence } from '../../state/protection-texts.ts';
import type { ProtectionFacts } from '../../vault/protection-api.ts';
import type { EnclaveView } from '../../vault/vault-api.ts';
import { useAppSelector } from '../shell/app-context.tsx';

/**
 * Says aloud when another enclave stands behind the shield, or none any more: once for each change, never for a mere renewal.
 */
export function ProtectionAnnouncer() {
  const view = useAppSelector((state) => state.enclave);
  const [known, setKnown] = useState<ProtectionFacts | null>(null);
  const [refusal, setRefusal] = useState('');
  const [text, setText] = useState('');

  const facts = factsOf(view);
  if (facts !== null && (known === null || isOther(known, facts))) {
    if (known !== null) setText(`Another enclave answers now: ${changeText(known, facts)}.`);
    setKnown(facts);
  }
  if (facts !== null && refusal !== '') {
    setRefusal('');
    setText(`The enclave is accepted: ${protectionSentence(view)}`);
  }
  const refused = view.kind === 'refused' ? protectionSentence(view) : '';
  if (refused !== '' && refused !== refusal) {
    setRefusal(refused);
    setText(refused);
  }
  return (
    <output aria-live="polite" aria-atomic="true" data-announcer="protection" className="sr-only">
      {text}
    </output>
  );
}

function factsOf(view: EnclaveView): ProtectionFacts | null {
  if (view.kind !== 'verified') return null;
  const { evidenceKind, level, model, measurement, release } = view;
  return { kind: evidenceKind, level, model, measurement, release: release?.version ?? null };
}

function isOther(a: ProtectionFacts, b: ProtectionFacts): boolean {
  return changeText(a, b) !== '' || a.measurement !== b.measurement;
}
