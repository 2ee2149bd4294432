/** Put in by Vite (vite.config.ts), checked by client/build/client-policy.ts. */
declare const __SOTTO_POLICY__: unknown;

/**
 * This build accepts these enclaves: `client/policy.json`, or the file that CLIENT_POLICY named when it was built. It is
 * compiled in and never asked of a relay. Each use checks it again, and an incomplete one refuses.
 */
export const compiledPolicy: unknown = __SOTTO_POLICY__;
