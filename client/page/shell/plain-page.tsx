import { Button, buttonClasses } from '../design/button.tsx';
import { AccountPageFrame } from './account-page-frame.tsx';
import { failureSentence, failureWayOut } from '../texts/failure-texts.ts';
import type { FailureCode } from '../../vault/api/vault-api.ts';
import { Link } from './link.tsx';
import { useOneReload } from './load-part.ts';
import { Splash } from './splash.tsx';

export function NotFoundPage() {
  return (
    <AccountPageFrame heading="Nothing here" lead="No page of Sotto has this address." headingTakesFocus>
      <Link to={{ page: 'home' }} className={buttonClasses('primary')}>
        To the first page
      </Link>
    </AccountPageFrame>
  );
}

export function UnshownPage() {
  return (
    <AccountPageFrame
      heading="This page could not be shown"
      lead="A part of it did not arrive, or failed. Nothing was lost: whatever you wrote before stays sealed where it is."
      headingTakesFocus
    >
      <Button look="primary" onClick={() => window.location.reload()}>
        Reload
      </Button>
    </AccountPageFrame>
  );
}

/** The one page of a browser in which the vault cannot start, with the cause. */
export function BrokenVaultPage({ code }: { readonly code: FailureCode }) {
  const isHopeless = useOneReload(code === 'part-missing');
  if (!isHopeless) return <Splash />;
  return (
    <AccountPageFrame heading="Sotto cannot start here" lead={failureSentence({ code })} headingTakesFocus>
      <p>{failureWayOut({ code })} Nothing was lost: whatever you wrote before stays sealed where it is.</p>
      <Button look="primary" className="mt-6" onClick={() => window.location.reload()}>
        Reload
      </Button>
    </AccountPageFrame>
  );
}
