import { Button, buttonClasses } from '../../design/buttons/button.tsx';
import { AccountPageFrame } from './account-page-frame.tsx';
import { failureSentence, failureWayOut } from '../../texts/of-values/failure-texts.ts';
import type { FailureCode } from '../../../vault/api/vault-api.ts';
import { Link } from '../routes/link.tsx';
import { useOneReload } from '../browser/load-part.ts';
import { Splash } from './splash.tsx';
import { say } from '../../texts/say.ts';

export function NotFoundPage() {
  return (
    <AccountPageFrame heading={say('not-found.heading')} lead={say('not-found.lead')} headingTakesFocus>
      <Link to={{ page: 'home' }} className={buttonClasses('primary')}>
        {say('not-found.home')}
      </Link>
    </AccountPageFrame>
  );
}

export function UnshownPage() {
  return (
    <AccountPageFrame heading={say('unshown.heading')} lead={say('unshown.lead')} headingTakesFocus>
      <Button look="primary" onClick={() => window.location.reload()}>
        {say('button.reload')}
      </Button>
    </AccountPageFrame>
  );
}

/** The one page of a browser in which the vault cannot start, with the cause. */
export function BrokenVaultPage({ code }: { readonly code: FailureCode }) {
  const isHopeless = useOneReload(code === 'part-missing');
  if (!isHopeless) return <Splash />;
  return (
    <AccountPageFrame heading={say('broken.heading')} lead={failureSentence({ code })} headingTakesFocus>
      <p>
        {failureWayOut({ code })} {say('broken.kept')}
      </p>
      <Button look="primary" className="mt-6" onClick={() => window.location.reload()}>
        {say('button.reload')}
      </Button>
    </AccountPageFrame>
  );
}
