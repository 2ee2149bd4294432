import { useEffect, useLayoutEffect, useState } from 'react';
import { expectsSession, rememberSession } from '../../state/browser-memory.ts';
import { needsAccount, redirectFor } from '../../state/route-guard.ts';
import { currentWish, navigate, titleOf, type Route } from '../../state/router.ts';
import { useAppSelector, useVault } from '../context/app-context.tsx';
import { useRoute } from './use-route.ts';

/** The page to show now: null while it is not yet known, or while the visitor is being sent elsewhere. */
export function useGuardedRoute(): Route | null {
  const route = useRoute();
  const vault = useVault();
  const status = useAppSelector((state) => state.session.status);
  const needsNewPassword = useAppSelector((state) => state.session.needsNewPassword);
  const [firstRoute] = useState(route);
  const [hadAccount, setHadAccount] = useState(false);
  if (status === 'unlocked' && !hadAccount) setHadAccount(true);
  const arrived = firstRoute === route;

  useEffect(() => {
    // The home page alone does without the vault, where no session is expected.
    if (route.page !== 'home' || expectsSession()) vault.start();
  }, [route, vault]);

  useEffect(() => {
    if (status === 'unlocked' || status === 'locked') rememberSession(true);
    if (status === 'signed-out') rememberSession(false);
  }, [status]);

  const redirect = redirectFor({ route, session: { status, needsNewPassword }, wish: currentWish(), arrived });
  // Another person may sign in after a sign-out, so the first one's address is not kept for them.
  const keepsWish = status === 'locked' || !hadAccount;
  useLayoutEffect(() => {
    if (redirect === null) return;
    navigate(redirect, { replace: true, wish: route.page === 'chat' && keepsWish ? route : null });
  }, [keepsWish, redirect, route]);

  useEffect(() => {
    document.title = titleOf(route);
  }, [route]);

  if (redirect !== null) return null;
  const waiting = status === 'idle' || status === 'starting';
  const mayLeave =
    needsAccount(route) || route.page === 'unlock' || (arrived && route.page === 'home' && expectsSession());
  return waiting && mayLeave ? null : route;
}
