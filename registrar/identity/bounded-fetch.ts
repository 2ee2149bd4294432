const timeoutMs = 5_000;
const maximumLength = 65_536;

/** Modal's keys could not be fetched: nothing is known about the token. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable';
}

/** A small JSON document, within five seconds and without redirects. @throws {IssuerUnreachable} */
export async function fetchDocument(url: string): Promise<string> {
  try {
    const answer = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (answer.status !== 200 || answer.body === null) throw new IssuerUnreachable();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > maximumLength) throw new IssuerUnreachable();
      pieces.push(piece);
    }
    const text = Buffer.concat(pieces).toString('utf8');
    // A page of somebody's proxy says nothing about a token.
    JSON.parse(text);
    return text;
  } catch (error) {
    throw error instanceof IssuerUnreachable ? error : new IssuerUnreachable('', { cause: error });
  }
}
