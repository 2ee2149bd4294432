/** A name and a password, as somebody types them. */
export type Person = { readonly userName: string; readonly password: string };
/** Somebody who has an account, and the words of its recovery phrase. */
export type SignedUpPerson = Person & { readonly recoveryWords: readonly string[] };

let invented = 0;

/** A user name and a password that no other test uses. */
export function inventPerson(): Person {
  invented += 1;
  const unique = `${process.pid.toString(36)}${invented.toString(36)}${Date.now().toString(36)}`;
  return { userName: `guest-${unique}`, password: `Quiet harbour ${unique} lantern!` };
}
