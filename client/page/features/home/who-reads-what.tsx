type Verdict = 'all' | 'none' | 'some' | 'depends';

type Party = {
  readonly name: string;
  readonly role: string;
  readonly verdict: Verdict;
  readonly words: string;
  readonly besides: string;
};

const parties: readonly Party[] = [
  {
    name: 'You',
    role: 'in your browser',
    verdict: 'all',
    words: 'Everything',
    besides: 'Your password and your keys never leave this device in a readable form.',
  },
  {
    name: 'The relay',
    role: 'stores and forwards',
    verdict: 'none',
    words: 'Nothing',
    besides:
      'An account number, times, sizes in coarse steps, the model’s name. No name in clear, no words, no titles.',
  },
  {
    name: 'The enclave',
    role: 'runs the model',
    verdict: 'some',
    words: 'One request, while it answers',
    besides: 'It is not told who asks, and writes nothing to a disk or a log.',
  },
  {
    name: 'Whoever runs the enclave’s machine',
    role: 'operator or host',
    verdict: 'depends',
    words: 'Depends on the machine',
    besides:
      'Hardware can keep them out, or nothing does. A sentence beside the message box says which, before you send.',
  },
];

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
        Who can read what
      </h2>
      <div aria-hidden="true" className={`mt-6 hidden pb-2 text-small text-ink-soft md:grid ${columns}`}>
        <p>Who</p>
        <p>Your words</p>
        <p>What else</p>
      </div>
      <ul className="mt-6 md:mt-0">
        {parties.map(({ name, role, verdict, words, besides }) => (
          <li key={name} className={`grid gap-y-2 border-t border-line py-5 ${columns}`}>
            <h3 className="font-semibold">
              {name} <span className="block text-small font-normal text-ink-soft">{role}</span>
            </h3>
            <p>
              <span className="sr-only">Your words: </span>
              <span className={`inline-block rounded-2xl px-3.5 py-1 text-small font-semibold ${looks[verdict]}`}>
                {words}
              </span>
            </p>
            <p className="text-ink-soft">{besides}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
