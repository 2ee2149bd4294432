import { say } from '../../texts/say.ts';
const limits = ['reset', 'seen', 'delivered'] as const;

/** Says what Sotto does not do, before anyone signs up. */
export function PlainLimits() {
  return (
    <section aria-labelledby="limits">
      <h2 id="limits" className="font-serif text-page font-medium">
        {say('limits.heading')}
      </h2>
      <ul className="mt-6 grid gap-x-10 gap-y-7 md:grid-cols-3">
        {limits.map((limit) => (
          <li key={limit}>
            <h3 className="font-semibold">{say(`limits.${limit}`)}</h3>
            <p className="mt-1.5 text-ink-soft">{say(`limits.${limit}-text`)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
