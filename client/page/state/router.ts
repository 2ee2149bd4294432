import { say } from '../texts/say.ts';

/** The pages, each with its path. A conversation's id is the only thing of an account that stands in an address. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'create-account' }
  | { readonly page: 'sign-in' }
  | { readonly page: 'recover' }
  | { readonly page: 'unlock' }
  | { readonly page: 'new-password' }
  | { readonly page: 'chat'; readonly conversationId: string | null }
  | { readonly page: 'not-found' };

const fixedPages = {
  '/': 'home',
  '/create-account': 'create-account',
  '/sign-in': 'sign-in',
  '/recover': 'recover',
  '/unlock': 'unlock',
  '/new-password': 'new-password',
} as const;

export function parsePath(path: string): Route {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  if (Object.hasOwn(fixedPages, trimmed)) return { page: fixedPages[trimmed as keyof typeof fixedPages] };
  if (trimmed === '/chat') return { page: 'chat', conversationId: null };
  const conversationId = /^\/chat\/([A-Za-z0-9_-]{22})$/.exec(trimmed)?.[1];
  return conversationId === undefined ? { page: 'not-found' } : { page: 'chat', conversationId };
}

export function pathOf(route: Route): string {
  if (route.page === 'chat') return route.conversationId === null ? '/chat' : `/chat/${route.conversationId}`;
  if (route.page === 'home' || route.page === 'not-found') return '/';
  return `/${route.page}`;
}

/** Browsers keep titles in their history in clear: no title of a conversation ever stands in one. */
export function titleOf(route: Route): string {
  return say(`title.${route.page}`);
}

type Listener = () => void;
const listeners = new Set<Listener>();

function announce(): void {
  for (const listener of listeners) listener();
}

type NavigateOptions = {
  /** Back does not return here. */
  readonly replace?: boolean;
  /** Where to go once the new page has done its work (signing in, unlocking). */
  readonly wish?: Route | null;
};

/** Goes to a page. */
export function navigate(route: Route, { replace = false, wish = null }: NavigateOptions = {}): void {
  const path = pathOf(route);
  if (path === window.location.pathname) return;
  const state = wish === null ? null : { wish: pathOf(wish) };
  if (replace) window.history.replaceState(state, '', path);
  else window.history.pushState(state, '', path);
  announce();
}

/** The wish that `navigate` was given for this page; it survives a reload. */
export function currentWish(): Route | null {
  const state: unknown = window.history.state;
  if (typeof state !== 'object' || state === null || !('wish' in state)) return null;
  return typeof state.wish === 'string' ? parsePath(state.wish) : null;
}

export function subscribeToRoute(listener: Listener): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', announce);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', announce);
  };
}

export function currentPath(): string {
  return window.location.pathname;
}
