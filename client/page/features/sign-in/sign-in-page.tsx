import { Notice } from '../../design/display/notice.tsx';
import { AccountPageFrame } from '../../shell/frames/account-page-frame.tsx';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { say } from '../../texts/say.ts';
import { Said } from '../../design/display/said.tsx';

export function SignInPage() {
  const hasEnded = useAppSelector((state) => state.session.hasEnded);
  return (
    <AccountPageFrame
      heading={say('sign-in.heading')}
      below={
        <Said
          id="sign-in.new-here"
          link={(words) => (
            <Link to={{ page: 'create-account' }} className="text-link">
              {words}
            </Link>
          )}
        />
      }
    >
      {hasEnded && (
        <Notice tone="calm" urgent className="mb-6">
          {say('sign-in.ended')}
        </Notice>
      )}
      <SignInForm />
      <p className="mt-6 text-small text-ink-soft">
        <Said
          id="sign-in.forgotten"
          link={(words) => (
            <Link to={{ page: 'recover' }} className="text-link">
              {words}
            </Link>
          )}
        />
      </p>
    </AccountPageFrame>
  );
}
