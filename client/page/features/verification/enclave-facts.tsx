import { useId, type ReactNode } from 'react';
import { SafeLink } from '../markdown/elements/safe-link.tsx';
import { say } from '../../texts/say.ts';

export type Fact = readonly [name: string, value: ReactNode, look?: 'code'];

type FactListProps = { readonly title: string; readonly facts: readonly (Fact | null)[] };

/** Names and values; a value in hex can be compared with one that somebody else reads out. */
export function FactList({ title, facts }: FactListProps) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id} className="font-semibold">
        {title}
      </h3>
      <dl className="mt-3 grid gap-x-6 gap-y-2 text-small sm:grid-cols-[auto_minmax(0,1fr)]">
        {facts
          .filter((fact) => fact !== null)
          .map(([name, value, look]) => (
            <div key={name} className="contents">
              <dt className="text-ink-soft">{name}</dt>
              <dd className={`mb-1 wrap-anywhere sm:mb-0 ${look === 'code' ? 'font-mono text-fine' : ''}`}>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

type Measured = {
  readonly measurement: string | null;
  readonly release: { readonly version: string; readonly url: string } | null;
};

/** The measurement that the hardware reported, and its release. */
export function measuredFacts({ measurement, release }: Measured): readonly (Fact | null)[] {
  return [
    release === null
      ? null
      : [
          say('fact.release'),
          <SafeLink key="release" address={release.url} source="client">
            {release.version}
          </SafeLink>,
        ],
    measurement === null ? null : [say('fact.measurement'), measurement, 'code'],
  ];
}
