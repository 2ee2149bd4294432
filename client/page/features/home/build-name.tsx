import { clientBuild, clientVersion } from '../../state/build-name.ts';

/** Which sources this page was built from. */
export function BuildName({ className }: { readonly className?: string }) {
  return (
    <p className={className}>
      Version {clientVersion}, build <span className="font-mono">{clientBuild}</span>
    </p>
  );
}
