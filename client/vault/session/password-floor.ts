import { maximumPasswordLength } from '../../../crypto/account/opaque-client.ts';
import { VaultError } from '../failures/vault-error.ts';

const minimumLength = 12;
const minimumDifferentCharacters = 5;
/** Digits alone need this many: below, all of them can be tried. */
const minimumDigits = 20;
/** Long words that a guesser tries before anything else. */
const commonWords = ['password', 'passwort', 'qwertyuiop', 'letmein', 'iloveyou', 'administrator', 'welcome', 'sotto'];
const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
];

/**
 * Refuses what no strength meter needs to be asked about. The relay can try passwords at the price of Argon2, so this
 * floor stands in the Worker, whatever the page shows.
 *
 * @throws {VaultError} `weak-password`, `password-too-long`.
 */
export function requireStrongPassword(password: string, userName: string | null): void {
  if (password.length > maximumPasswordLength) throw new VaultError('password-too-long');
  if (isObviouslyWeak(password.normalize('NFC').toLowerCase(), userName)) throw new VaultError('weak-password');
}

function isObviouslyWeak(password: string, userName: string | null): boolean {
  const characters = Array.from(password);
  if (characters.length < minimumLength) return true;
  if (new Set(characters).size < minimumDifferentCharacters) return true;
  if (/^[\d\s./-]*$/.test(password) && password.replaceAll(/\D/g, '').length < minimumDigits) return true;
  if (isRepeated(password)) return true;
  // The rest, without everything guessable, has to carry the strength.
  let rest = password;
  for (const word of [...(userName === null ? [] : [userName.toLowerCase()]), ...commonWords]) {
    if (word.length >= 3) rest = rest.replaceAll(word, '');
  }
  return (
    Array.from(withoutRuns(rest).replaceAll(/[\d\s!?.,_-]/g, '')).length < 4 && !isLongAndMixed(password, userName)
  );
}

/** Many digits and signs between a few letters are a generated password, unless a name or a run makes most of it. */
function isLongAndMixed(password: string, userName: string | null): boolean {
  if (userName !== null && userName.length >= 3 && password.includes(userName.toLowerCase())) return false;
  if (commonWords.some((word) => password.includes(word))) return false;
  return new Set(withoutRuns(password)).size >= 8;
}

/** One piece again and again: `abcabcabcabc`. */
function isRepeated(password: string): boolean {
  for (let length = 1; length <= password.length / 3; length++) {
    if (password.length % length !== 0) continue;
    if (password.slice(0, length).repeat(password.length / length) === password) return true;
  }
  return false;
}

/** Four or more neighbours on a keyboard or in the alphabet count as nothing. */
function withoutRuns(text: string): string {
  let rest = text;
  for (const run of runs.flatMap((forward) => [forward, Array.from(forward).toReversed().join('')])) {
    for (let length = run.length; length >= 4; length--) {
      for (let start = 0; start + length <= run.length; start++) {
        rest = rest.replaceAll(run.slice(start, start + length), '');
      }
    }
  }
  return rest;
}
