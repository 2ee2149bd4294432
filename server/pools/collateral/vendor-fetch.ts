const timeoutMs = 10_000;

/** A vendor's answer. */
export type VendorAnswer = { readonly body: Buffer; readonly headers: Headers };

/** A document that a vendor did not give. */
export class VendorRefused extends Error {
  override readonly name = 'VendorRefused';
  /** Null when no answer came, or one that cannot be what was asked for. */
  readonly status: number | null;
  /** The seconds that the vendor asks for. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number | null, retryAfterSeconds: number | null = null) {
    super('The vendor gave no document.');
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The question that goes to a vendor where a name alone does not say it. */
export type VendorQuestion = { readonly type: string; readonly body: Uint8Array<ArrayBuffer> };

/**
 * Fetches one public document of bounded length. No redirect is followed, nothing of a user goes along.
 *
 * @param question - Posted; without one the document is got.
 * @throws {VendorRefused}
 */
export async function fetchDocument(
  url: URL,
  maximumLength: number,
  question: VendorQuestion | null = null,
): Promise<VendorAnswer> {
  const post = question && { method: 'POST', headers: { 'content-type': question.type }, body: question.body };
  try {
    const response = await fetch(url, { ...post, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (response.status !== 200) {
      await response.body?.cancel();
      const wait = response.headers.get('retry-after') ?? '';
      throw new VendorRefused(response.status, /^\d{1,6}$/.test(wait) ? Number(wait) : null);
    }
    return { body: await readBounded(response, maximumLength), headers: response.headers };
  } catch (error) {
    throw error instanceof VendorRefused ? error : new VendorRefused(null);
  }
}

/** Work that somebody waits for no longer; it goes on for whoever comes next. @throws {VendorRefused} when it is late. */
export async function inTime<T>(work: Promise<T>, longestMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new VendorRefused(null)), longestMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function readBounded(response: Response, maximumLength: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.length;
    // Leaving the loop cancels what is still to come.
    if (length > maximumLength) throw new VendorRefused(null);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
