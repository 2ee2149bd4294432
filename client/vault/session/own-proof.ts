/** Shows anew that the account is the person's own, before a way in is changed. */
export type OwnProof =
  | { readonly by: 'password'; readonly password: string }
  | { readonly by: 'phrase'; readonly words: string }
  /** The phrase that this tab was signed in by, some minutes ago. */
  | { readonly by: 'recent-phrase' };
