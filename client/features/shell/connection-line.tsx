import { Status } from '../../design/status.tsx';
import { useAppSelector } from './app-context.tsx';

/** Only while something is wrong with the way to the relay. @param kept - A sentence on what becomes of what one does. */
export function ConnectionLine({ kept }: { readonly kept: string }) {
  const connection = useAppSelector((state) => state.session.connection);
  const isWrong = connection === 'offline' || connection === 'relay-unreachable';
  // The live region stands before it has something to say: a reader hears only what changes in one.
  return (
    <output className={isWrong ? 'block border-b border-line bg-caution-soft px-4 py-2 sm:px-6' : 'block'}>
      {isWrong && (
        <Status tone="caution" working>
          {connection === 'offline' ? 'You are offline.' : 'No connection to the relay; trying again.'} {kept}
        </Status>
      )}
    </output>
  );
}
