import type { FailureCode, VaultFailure } from '../../../vault/api/vault-api.ts';
import type { CodeText } from './code-text.ts';
import { failureCauses } from './failure-causes.ts';
import { say } from '../say.ts';

/** Failures that the vault and the relay find alike: one text. */
const saidAsTheRelays = [
  'sign-in-failed',
  'name-taken',
  'sign-up-closed',
  'enclave-unreachable',
  'enclave-starting',
  'quota-exceeded',
] as const satisfies readonly FailureCode[];
type SaidAsTheRelays = (typeof saidAsTheRelays)[number];

/** The same would fail again. */
const forGood: ReadonlySet<FailureCode> = new Set(['message-too-long', 'too-large-on-the-way']);

export const failureCodes = Object.keys(failureCauses) as readonly FailureCode[];

export function isFailureCode(code: unknown): code is FailureCode {
  return typeof code === 'string' && Object.hasOwn(failureCauses, code);
}

/** One failure in words; a code that a later build left in this browser has words of its own. */
export function failureCodeText(code: string): CodeText {
  if (!isFailureCode(code)) {
    return { cause: 'browser', sentence: say('failure.unknown'), wayOut: say('failure.unknown.do') };
  }
  const named = isSaidAsTheRelays(code) ? (`relay:${code}` as const) : code;
  return {
    cause: failureCauses[code],
    sentence: say(`failure.${named}`),
    wayOut: say(`failure.${named}.do`),
    ...(forGood.has(code) ? { isForGood: true } : {}),
  };
}

function isSaidAsTheRelays(code: FailureCode): code is SaidAsTheRelays {
  return (saidAsTheRelays as readonly FailureCode[]).includes(code);
}

/** Says what happened, not what to do: where there is one line. */
export function failureSentence({ code }: Pick<VaultFailure, 'code'>): string {
  return failureCodeText(code).sentence;
}

/** Says what to do about it, where that stands apart. */
export function failureWayOut({ code }: Pick<VaultFailure, 'code'>): string {
  return failureCodeText(code).wayOut;
}

/** True where a question that failed so can go through when it is sent once more, as it is. */
export function canSucceedAgain({ code }: Pick<VaultFailure, 'code'>): boolean {
  return !forGood.has(code);
}

/**
 * The one text for a failure: what happened, what was kept, what to do and, where that is known, when.
 *
 * @param kept - A sentence of the place that shows it, as "Your text is still here."
 */
export function failureText({ code, retryAfterMs }: VaultFailure, kept?: string): string {
  const { sentence, wayOut } = failureCodeText(code);
  // The relay names a time with every refusal for want of room; an account's own room comes back by no waiting.
  const isWaitEnough = retryAfterMs !== undefined && code !== 'quota-exceeded';
  const then = isWaitEnough ? say('failure.try-in', { wait: waitText(retryAfterMs) }) : wayOut;
  return [sentence, kept, then].filter((part) => part !== undefined).join(' ');
}

/** A wait in words, rounded up. */
export function waitText(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds < 90) return say('wait.seconds', { count: seconds });
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return say('wait.minutes', { count: minutes });
  return say('wait.hours', { count: Math.ceil(minutes / 60) });
}
