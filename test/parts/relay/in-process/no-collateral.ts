import type { CollateralSource } from '../../../../server/pools/choose-enclave.ts';

/** Fetches nothing, for enclaves that ask for nothing. */
export const noCollateral: CollateralSource = {
  complete({ collateralNeeds, ...evidence }) {
    if (collateralNeeds !== undefined) throw new Error('This test has no vendor.');
    return Promise.resolve(evidence);
  },
};
