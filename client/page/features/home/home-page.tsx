import { buttonClasses } from '../../design/buttons/button.tsx';
import { Wordmark } from '../../design/display/wordmark.tsx';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { PageHeading } from '../../shell/frames/page-heading.tsx';
import { BuildName } from './build-name.tsx';
import { MessageJourney } from './message-journey.tsx';
import { PlainLimits } from './plain-limits.tsx';
import { WhoReadsWhat } from './who-reads-what.tsx';
import { say } from '../../texts/say.ts';

export function HomePage() {
  return (
    <div className="safe-x mx-auto flex min-h-dvh max-w-5xl flex-col">
      <a
        href="#main"
        className="sr-only rounded-control bg-raised px-4 py-2 focus:not-sr-only focus:absolute focus:top-3 focus:left-3"
      >
        {say('home.skip')}
      </a>
      <header className="py-6">
        <Wordmark />
      </header>
      <main id="main" className="flex-1">
        <section className="pt-10 pb-16 sm:pt-16 sm:pb-20">
          <PageHeading className="max-w-3xl font-serif text-display font-medium tracking-tight">
            {say('home.heading')}
          </PageHeading>
          <p className="mt-6 max-w-2xl text-lead text-ink-soft">{say('home.lead')}</p>
          <Entrance />
        </section>
        <MessageJourney />
        <WhoReadsWhat />
        <PlainLimits />
      </main>
      <footer className="mt-20 flex flex-wrap items-center justify-between gap-x-8 gap-y-2 border-t border-line py-6 text-fine text-ink-faint">
        <p>{say('home.licence')}</p>
        <BuildName />
      </footer>
    </div>
  );
}

function Entrance() {
  const hasSession = useAppSelector(({ session }) => session.status === 'unlocked' || session.status === 'locked');
  if (hasSession) {
    return (
      <p className="mt-9">
        <Link to={{ page: 'chat', conversationId: null }} className={buttonClasses('primary', 'px-7 text-lead')}>
          {say('home.open-chats')}
        </Link>
      </p>
    );
  }
  return (
    <p className="mt-9 flex flex-wrap gap-3">
      <Link to={{ page: 'create-account' }} className={buttonClasses('primary', 'px-7')}>
        {say('account.create')}
      </Link>
      <Link to={{ page: 'sign-in' }} className={buttonClasses('secondary', 'px-7')}>
        {say('account.sign-in')}
      </Link>
    </p>
  );
}
