import { Status } from '../../design/status.tsx';
import { useAppSelector } from '../shell/app-context.tsx';

/** Only while something is wrong with the way to the relay. */
export function ConnectionLine() {
  const connection = useAppSelector((state) => state.session.connection);
  if (connection !== 'offline' && connection !== 'relay-unreachable') return null;
  return (
    <output className="block border-b border-line bg-caution-soft px-4 py-2 sm:px-6">
      <Status tone="caution" working>
        {connection === 'offline'
          ? 'You are offline. What you write is kept here until you are back.'
          : 'No connection to the relay. What you write is kept here; trying again.'}
      </Status>
    </output>
  );
}
