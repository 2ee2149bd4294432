import { useId, type ReactNode } from 'react';
import { CheckIcon, CrossIcon, DashIcon } from '../../design/display/icons.tsx';
import { stepText } from '../../texts/of-values/evidence-texts.ts';
import { stepResultText } from '../../texts/of-values/protection-texts.ts';
import type { VerificationStep } from '../../../vault/api/vault-api.ts';
import { Said } from '../../design/display/said.tsx';

const stepLooks: Record<VerificationStep['result'], { readonly icon: ReactNode; readonly classes: string }> = {
  enforced: { icon: <CheckIcon />, classes: 'bg-accent-soft text-accent' },
  failed: { icon: <CrossIcon />, classes: 'bg-danger-soft text-danger' },
  'not-offered': { icon: <DashIcon />, classes: 'bg-sunken text-ink-soft' },
};

type ChecklistProps = { readonly title: string; readonly steps: readonly VerificationStep[] };

/** Every check with what it came to, in the order in which it was made. */
export function Checklist({ title, steps }: ChecklistProps) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id} className="font-semibold">
        {title}
      </h3>
      <ol className="mt-3 grid gap-3">
        {steps
          .map((step) => ({ ...stepText(step), result: step.result }))
          .map(({ name, detail, result }, index) => (
            // A list that never changes its order; two steps may bear one name.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={`${index} ${name}`} className="flex items-start gap-3">
              <span
                className={`mt-0.5 grid size-7 shrink-0 place-items-center rounded-full ${stepLooks[result].classes}`}
              >
                {stepLooks[result].icon}
              </span>
              <span className="min-w-0">
                <span className="block">
                  <Said
                    id="step.with-result"
                    name={name}
                    result={stepResultText(result)}
                    soft={(words) => <span className="text-small text-ink-soft">{words}</span>}
                  />
                </span>
                <span className="block text-small wrap-anywhere text-ink-soft">{detail}</span>
              </span>
            </li>
          ))}
      </ol>
    </section>
  );
}
