import { Notice } from '../../design/notice.tsx';
import { AccountPageFrame } from '../../shell/account-page-frame.tsx';
import { useAppSelector } from '../../shell/app-context.tsx';
import { Link } from '../../shell/link.tsx';
import { SignInForm } from './sign-in-form.tsx';

export function SignInPage() {
  const hasEnded = useAppSelector((state) => state.session.hasEnded);
  return (
    <AccountPageFrame
      heading="Welcome back"
      below={
        <>
          New here?{' '}
          <Link to={{ page: 'create-account' }} className="text-link">
            Create account
          </Link>
        </>
      }
    >
      {hasEnded && (
        <Notice tone="calm" urgent className="mb-6">
          Your session has ended. Please sign in again.
        </Notice>
      )}
      <SignInForm />
      <p className="mt-6 text-small text-ink-soft">
        Forgotten your password?{' '}
        <Link to={{ page: 'recover' }} className="text-link">
          Use your recovery phrase
        </Link>
      </p>
    </AccountPageFrame>
  );
}
