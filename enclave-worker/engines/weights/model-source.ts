import { isLoopback } from '../../../process/loopback.ts';

/** Where a model comes from, and what it must be. */
export type ModelSource = {
  readonly url: string;
  readonly fileName: string;
  /** Hex; where none is pinned, what the server names is compared, which proves a whole file but not whose. One there must be. */
  readonly sha256: string | null;
};

/** Apache-2.0, about half a gigabyte: small enough for a laptop without a graphics card. */
export const defaultModel: ModelSource = {
  url: 'https://huggingface.co/unsloth/Qwen3.5-0.8B-GGUF/resolve/main/Qwen3.5-0.8B-Q4_K_M.gguf',
  fileName: 'Qwen3.5-0.8B-Q4_K_M.gguf',
  sha256: null,
};

export type RemoteFile = {
  /** Where the redirects led. */
  readonly url: string;
  readonly totalBytes: number | null;
  readonly sha256: string | null;
};

const maximumRedirects = 5;
const answerWithinMs = 30_000;

/** @returns null when there is no usable answer. */
export async function locateFile(source: ModelSource, signal: AbortSignal): Promise<RemoteFile | null> {
  let url = source.url;
  let sha256 = source.sha256;
  let totalBytes: number | null = null;
  for (let hop = 0; hop <= maximumRedirects; hop += 1) {
    if (!isAcceptable(url)) return null;
    const response = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
      // Otherwise the length is that of a compressed form.
      headers: { 'accept-encoding': 'identity' },
    });
    // The first answer of Hugging Face names the file behind its redirect.
    const etag = response.headers.get('x-linked-etag')?.replaceAll('"', '');
    if (sha256 === null && etag !== undefined && /^[0-9a-f]{64}$/.test(etag)) sha256 = etag;
    totalBytes ??= parseLength(response.headers.get('x-linked-size'));
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      url = new URL(location, url).href;
      // A signed address is good for the download alone: nothing more is asked of it than is needed.
      if (totalBytes !== null && sha256 !== null) return isAcceptable(url) ? { url, totalBytes, sha256 } : null;
      continue;
    }
    if (response.status !== 200) return null;
    totalBytes ??= parseLength(response.headers.get('content-length'));
    return { url, totalBytes, sha256 };
  }
  return null;
}

function parseLength(text: string | null): number | null {
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

/** Weights come over TLS, except from this very machine. */
function isAcceptable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
