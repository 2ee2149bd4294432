/** Of an enclave's key, to a question. `unknown`: what says to whom it was sealed is not all here yet. */
export type KeyStanding = 'own' | 'foreign' | 'unknown';
