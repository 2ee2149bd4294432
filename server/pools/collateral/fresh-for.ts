import { type Element, readElement, readInside, readTimeMs, tag } from './der-elements.ts';

/** Documents with a date of their own are asked for again shortly before it, and after a day at the latest. */
export const dayMs = 24 * 3_600_000;
/** Certificates of a chip at one firmware never change. */
export const unchangingMs = 30 * dayMs;
const marginMs = 10 * 60_000;
const leastMs = 60_000;

/** How long a document may be kept that is due at this time; null when it says no time. */
export function freshForMs(nextUpdateMs: number | null, nowMs: number): number {
  if (nextUpdateMs === null || Number.isNaN(nextUpdateMs)) return dayMs;
  return Math.max(leastMs, Math.min(dayMs, nextUpdateMs - marginMs - nowMs));
}

/**
 * Reads `nextUpdate` of a certificate revocation list (RFC 5280, section 5.1) for keeping it no longer than that. Nothing
 * is trusted for it: whoever verifies the list reads it anew.
 *
 * @returns null when there is none, or this is no such list.
 */
export function readNextUpdateMs(list: Uint8Array): number | null {
  const [inner] = readInside(list, sequenceOf(readElement(list, 0)));
  const times: number[] = [];
  // version?, signature, issuer, thisUpdate, nextUpdate?, …
  for (const element of readInside(list, sequenceOf(inner)).slice(0, 5)) {
    const time = readTimeMs(list, element);
    if (time === null && element.tag !== tag.integer && element.tag !== tag.sequence) break;
    if (time !== null) times.push(time);
  }
  return times[1] ?? null;
}

/** The dates of an answer about one certificate (OCSP, RFC 6960, section 4.2.1). */
export type AnswerDates = {
  /** 0 is an answer; any other number says why there is none. */
  readonly outcome: number;
  readonly nextUpdateMs: number | null;
};

/** Works as `readNextUpdateMs`, for an answer about a certificate. @returns null for bytes that are no such answer. */
export function readAnswerDates(answer: Uint8Array): AnswerDates | null {
  const [outcome, content] = readInside(answer, sequenceOf(readElement(answer, 0)));
  if (outcome?.tag !== tag.enumerated || outcome.end !== outcome.start + 1) return null;
  const number = answer[outcome.start] ?? 0;
  if (number !== 0) return { outcome: number, nextUpdateMs: null };
  const [, octets] = readInside(answer, readInside(answer, content)[0]);
  if (octets?.tag !== tag.octetString) return null;
  const [signed] = readInside(answer, sequenceOf(readElement(answer, octets.start)));
  // Signer, time of the answer, what it says of each certificate, …
  const [, , statuses] = readInside(answer, sequenceOf(signed));
  const [status] = readInside(answer, sequenceOf(statuses));
  // Certificate, status, thisUpdate, nextUpdate?, …
  const [, , thisUpdate, next] = readInside(answer, sequenceOf(status));
  if (readTimeMs(answer, thisUpdate) === null) return null;
  const [nextUpdate] = next?.tag === tag.firstContext ? readInside(answer, next) : [];
  return { outcome: number, nextUpdateMs: readTimeMs(answer, nextUpdate) };
}

function sequenceOf(element: Element | null | undefined): Element | null {
  return element?.tag === tag.sequence ? element : null;
}
