import { createKeyring, type Keyring as ProductionKeyring } from '../../../crypto/account/keyring.ts';
import { random, secret } from './outcomes.ts';
import type { Keyring } from '../account/keyring.ts';

/** One account as both know it. */
export function sampleAccount(): { keyring: Keyring; production: ProductionKeyring } {
  const [accountId, accountKey] = [random(16), random(32)];
  const production = createKeyring({ accountId, epoch: 1, accountKey: secret('AccountKey', accountKey) });
  return { keyring: { accountId, keys: [{ epoch: 1, accountKey }] }, production };
}
