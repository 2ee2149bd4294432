import { clientBuild, clientVersion } from '../../state/build-name.ts';
import { Said } from '../../design/display/said.tsx';

/** Which sources this page was built from. */
export function BuildName({ className }: { readonly className?: string }) {
  return (
    <p className={className}>
      <Said
        id="home.build"
        version={clientVersion}
        build={clientBuild}
        code={(build) => <span className="font-mono">{build}</span>}
      />
    </p>
  );
}
