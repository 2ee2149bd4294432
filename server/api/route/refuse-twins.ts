/**
 * Lets each claim have one owner.
 *
 * @param complaint - Says which claim two owners have, the earlier one first.
 * @throws {Error} with the complaint.
 */
export function refuseTwins<Owner>(
  owners: readonly Owner[],
  claimsOf: (owner: Owner) => readonly string[],
  complaint: (claim: string, first: Owner, second: Owner) => string,
): void {
  const claimed = new Map<string, Owner>();
  for (const owner of owners) {
    for (const claim of claimsOf(owner)) {
      const first = claimed.get(claim);
      if (first !== undefined) throw new Error(complaint(claim, first, owner));
      claimed.set(claim, owner);
    }
  }
}
