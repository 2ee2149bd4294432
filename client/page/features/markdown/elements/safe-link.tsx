import { createContext, use, type MouseEvent, type ReactNode } from 'react';
import { ImageIcon } from '../../../design/display/icons.tsx';
import { say } from '../../../texts/say.ts';

/** Who wrote an address: the model, or whoever built this client. */
export type LinkSource = 'reply' | 'client';

/** Asks before an address is opened. */
export const OpenLinkContext = createContext<(address: string, source: LinkSource) => void>(() => undefined);

/** A picture inside a link is part of the link, no button of its own. */
const InsideLinkContext = createContext(false);

type SafeLinkProps = {
  readonly address: string | undefined;
  readonly source?: LinkSource;
  readonly children: ReactNode;
};

/** Nothing of a reply is fetched by itself, and a link leads out only through a question that shows where to. */
export function SafeLink({ address, source = 'reply', children }: SafeLinkProps) {
  const open = use(OpenLinkContext);
  if (address === undefined || address === '') return <span>{children}</span>;
  function ask(event: MouseEvent) {
    event.preventDefault();
    if (address !== undefined) open(address, source);
  }
  return (
    <a href={address} target="_blank" rel="noopener noreferrer" className="text-link" onClick={ask} onAuxClick={ask}>
      <InsideLinkContext value={true}>{children}</InsideLinkContext>
    </a>
  );
}

type SafeImageProps = { readonly address: string | undefined; readonly alt: string | undefined };

/** Loading a picture would tell its server that, when and where this reply was read. Its address is shown instead. */
export function SafeImage({ address, alt }: SafeImageProps) {
  const open = use(OpenLinkContext);
  const insideLink = use(InsideLinkContext);
  const name = alt === undefined || alt === '' ? say('markdown.picture') : alt;
  const known = address !== undefined && address !== '';
  if (insideLink) return <span>{name}</span>;
  return (
    <button
      type="button"
      data-no-copy
      disabled={!known}
      onClick={() => known && open(address, 'reply')}
      className="my-1 inline-flex max-w-full items-start gap-3 rounded-control border border-dashed border-line-strong bg-sunken px-4 py-3 text-left text-small"
    >
      <ImageIcon className="mt-0.5 text-ink-faint" />
      <span className="min-w-0">
        <span className="block font-semibold">{name}</span>
        <span className="block text-ink-soft">{say('markdown.picture-not-loaded')}</span>
        {known && <span className="block font-mono text-fine break-all text-ink-faint">{address}</span>}
      </span>
    </button>
  );
}
