import type { ReactNode } from 'react';
import { Card } from '../../design/display/card.tsx';
import { Wordmark } from '../../design/display/wordmark.tsx';
import { ConnectionLine } from '../lines/connection-line.tsx';
import { Link } from '../routes/link.tsx';
import { PageHeading } from './page-heading.tsx';
import { say } from '../../texts/say.ts';

type AccountPageFrameProps = {
  readonly heading: string;
  readonly lead?: ReactNode;
  readonly wide?: boolean;
  /** False where a field takes the focus. */
  readonly headingTakesFocus?: boolean;
  readonly children: ReactNode;
  readonly below?: ReactNode;
};

/** One sheet of paper in the middle: sign-up, sign-in, unlock. */
export function AccountPageFrame(props: AccountPageFrameProps) {
  const { heading, lead, wide = false, headingTakesFocus = false, children, below } = props;
  return (
    <div className="flex min-h-dvh flex-col">
      <ConnectionLine kept={say('connection.kept-typed')} />
      <div className="safe-x flex flex-1 flex-col pb-10">
        <header className="py-6">
          <Link to={{ page: 'home' }} className="inline-flex rounded-lg">
            <Wordmark />
          </Link>
        </header>
        <main id="main" className={`mx-auto mt-[max(0rem,8dvh)] w-full ${wide ? 'max-w-2xl' : 'max-w-md'}`}>
          <Card className="px-6 py-8 sm:px-10 sm:py-10">
            <PageHeading takesFocus={headingTakesFocus} className="font-serif text-page font-medium">
              {heading}
            </PageHeading>
            {lead !== undefined && <div className="mt-3 text-ink-soft">{lead}</div>}
            <div className="mt-7">{children}</div>
          </Card>
          {below !== undefined && <div className="mt-6 text-center text-small text-ink-soft">{below}</div>}
        </main>
      </div>
    </div>
  );
}
