import { useMemo, useSyncExternalStore } from 'react';
import { currentPath, parsePath, subscribeToRoute, type Route } from '../../state/router.ts';

export function useRoute(): Route {
  const path = useSyncExternalStore(subscribeToRoute, currentPath);
  return useMemo(() => parsePath(path), [path]);
}
