import type { Link, PhrasingContent } from 'mdast';
import { safeAddress } from './safe-address.ts';

/** Signs that end an address in Chinese and Japanese, where no space follows it. */
const cjkEnd = /[，。、；：？！…～（）【】「」『』《》〈〉〔〕“”‘’]/;
const bareAddress = /(https?:\/\/[^\s<]+)/i;
const longestShown = 500;

/** A link as a reader needs it: with words, without the sentence behind it, and with its address where nobody could open it. */
export function readLink(link: Link, source: string): readonly PhrasingContent[] {
  const [word] = link.children;
  if (word === undefined) return [{ ...link, children: [{ type: 'text', value: link.url }] }];
  const isBare =
    source.charAt(link.position?.start.offset ?? 0) !== '[' && source.charAt(link.position?.start.offset ?? 0) !== '<';
  if (isBare && word.type === 'text') return cutAddress(link, word.value);
  const isKept =
    safeAddress(link.url) !== '' || link.url === '' || link.url.startsWith('#') || link.url.length > longestShown;
  const isSaid = word.type === 'text' && word.value === link.url;
  return isKept || isSaid ? [link] : [link, { type: 'text', value: ` (${link.url})` }];
}

function cutAddress(link: Link, shown: string): readonly PhrasingContent[] {
  const at = shown.search(cjkEnd);
  if (at <= 0) return [link];
  const rest = shown.slice(at);
  const url = link.url.slice(0, link.url.length - rest.length);
  return [{ ...link, url, children: [{ type: 'text', value: shown.slice(0, at) }] }, ...linksIn(rest)];
}

/** Addresses that were taken for a part of the one before. */
function linksIn(text: string): readonly PhrasingContent[] {
  return text.split(bareAddress).flatMap((part, index): readonly PhrasingContent[] => {
    if (part === '') return [];
    if (index % 2 === 0) return [{ type: 'text', value: part }];
    const address = part.replace(/[?!.,:*_~'")]+$/, '');
    const link: Link = { type: 'link', url: address, children: [{ type: 'text', value: address }] };
    const behind = part.slice(address.length);
    return [...cutAddress(link, address), ...(behind === '' ? [] : [{ type: 'text', value: behind } as const])];
  });
}
