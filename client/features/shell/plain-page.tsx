import { Button, buttonClasses } from '../../design/button.tsx';
import { AccountPageFrame } from './account-page-frame.tsx';
import { Link } from './link.tsx';

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
      lead="A part of it did not arrive, or failed. Nothing was lost: what you wrote is sealed at the relay and in this browser."
      headingTakesFocus
    >
      <Button look="primary" onClick={() => window.location.reload()}>
        Reload
      </Button>
    </AccountPageFrame>
  );
}

export function BrokenVaultPage() {
  return (
    <AccountPageFrame
      heading="The vault did not start"
      lead="Your keys live in a part of this page that could not be loaded. Nothing was lost: what you wrote is sealed at the relay and in this browser."
      headingTakesFocus
    >
      <p>
        Reload the page. If that does not help, a current version of Firefox, Chrome, Edge or Safari, without extensions
        that block scripts, will do.
      </p>
    </AccountPageFrame>
  );
}
