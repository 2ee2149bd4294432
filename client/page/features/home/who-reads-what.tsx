import { say } from '../../texts/say.ts';
type Verdict = 'all' | 'none' | 'some' | 'depends';

/** Who handles a message, and how much of it each can read. */
const parties = { you: 'all', relay: 'none', enclave: 'some', host: 'depends' } as const satisfies Record<
  string,
  Verdict
>;
type Party = keyof typeof parties;
const order: readonly Party[] = ['you', 'relay', 'enclave', 'host'];

const looks: Record<Verdict, string> = {
  all: 'bg-accent text-accent-ink',
  none: 'bg-accent-soft text-accent',
  some: 'bg-sunken text-ink',
  depends: 'bg-caution-soft text-caution',
};

const columns = 'md:grid-cols-[3fr_3fr_5fr] md:gap-x-6';

/** Three columns on a wide screen, one on a narrow one. */
export function WhoReadsWhat() {
  return (
    <section aria-labelledby="who" className="pb-20">
      <h2 id="who" className="font-serif text-page font-medium">
        {say('parties.heading')}
      </h2>
      <div aria-hidden="true" className={`mt-6 hidden pb-2 text-small text-ink-soft md:grid ${columns}`}>
        <p>{say('parties.who')}</p>
        <p>{say('parties.words')}</p>
        <p>{say('parties.besides')}</p>
      </div>
      <ul className="mt-6 md:mt-0">
        {order.map((party) => (
          <li key={party} className={`grid gap-y-2 border-t border-line py-5 ${columns}`}>
            <h3 className="font-semibold">
              {say(`parties.${party}`)}{' '}
              <span className="block text-small font-normal text-ink-soft">{say(`parties.${party}-role`)}</span>
            </h3>
            <p>
              <span className="sr-only">{`${say('parties.words')}: `}</span>
              <span
                className={`inline-block rounded-2xl px-3.5 py-1 text-small font-semibold ${looks[parties[party]]}`}
              >
                {say(`parties.${party}-words`)}
              </span>
            </p>
            <p className="text-ink-soft">{say(`parties.${party}-besides`)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
