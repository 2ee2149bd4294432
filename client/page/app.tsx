import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import { HomePage } from './features/home/home-page.tsx';
import { AlarmBar } from './shell/lines/alarm-bar.tsx';
import { AppProvider, useAppSelector } from './shell/context/app-context.tsx';
import { loadPart } from './shell/browser/load-part.ts';
import { PageBoundary } from './shell/frames/page-boundary.tsx';
import { BrokenVaultPage, NotFoundPage } from './shell/frames/plain-page.tsx';
import { Splash } from './shell/frames/splash.tsx';
import { useGuardedRoute } from './shell/routes/use-guarded-route.ts';
import { useKeptFocus } from './shell/browser/use-kept-focus.ts';
import { useShownTheme } from './features/theme/use-theme.ts';
import { useNetworkReports } from './shell/context/use-network-reports.ts';

import type { Route } from './state/router.ts';
import type { AppStore } from './state/store.ts';
import type { VaultLink } from './state/vault-link.ts';

const SignUpPage = lazyPage(() => import('./features/sign-up/sign-up-page.tsx').then((m) => m.SignUpPage));
const SignInPage = lazyPage(() => import('./features/sign-in/sign-in-page.tsx').then((m) => m.SignInPage));
const RecoverPage = lazyPage(() => import('./features/sign-in/recover-page.tsx').then((m) => m.RecoverPage));
const UnlockPage = lazyPage(() => import('./features/unlock/unlock-page.tsx').then((m) => m.UnlockPage));
const NewPasswordPage = lazyPage(() =>
  import('./features/sign-up/new-password-page.tsx').then((m) => m.NewPasswordPage),
);
const loadChat = () => import('./features/chat/chat-page.tsx');
const ChatPage = lazyPage(() => loadChat().then((m) => m.ChatPage));

function lazyPage<Props>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => ({ default: await loadPart(load) }));
}

type AppProps = { readonly store: AppStore; readonly vault: VaultLink };

export function App({ store, vault }: AppProps) {
  return (
    <AppProvider store={store} vault={vault}>
      <Pages />
    </AppProvider>
  );
}

function Pages() {
  useShownTheme();
  useKeptFocus();
  useNetworkReports();
  const route = useGuardedRoute();
  const status = useAppSelector((state) => state.session.status);
  const brokenBy = useAppSelector((state) => state.session.brokenBy);
  useEffect(() => {
    // The chat's scripts come whatever the vault holds: what is loaded, and when, says nothing about its contents.
    // The page that needs a script asks again for it where it does not come now.
    if (status === 'locked' || status === 'unlocked') void loadChat().catch(() => undefined);
  }, [status]);
  if (status === 'broken') return <BrokenVaultPage code={brokenBy ?? 'worker-failed'} />;
  return (
    <>
      <AlarmBar />
      {route === null ? (
        <Splash />
      ) : (
        // Another page may be well.
        <PageBoundary key={route.page}>
          <Suspense fallback={<Splash />}>
            <Page route={route} />
          </Suspense>
        </PageBoundary>
      )}
    </>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'create-account':
      return <SignUpPage />;
    case 'sign-in':
      return <SignInPage />;
    case 'recover':
      return <RecoverPage />;
    case 'unlock':
      return <UnlockPage />;
    case 'new-password':
      return <NewPasswordPage />;
    case 'chat':
      return <ChatPage conversationId={route.conversationId} />;
    case 'not-found':
      return <NotFoundPage />;
  }
}
