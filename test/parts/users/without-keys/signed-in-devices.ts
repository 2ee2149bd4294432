import { loadServerKeys } from '../../../../server/accounts/keys/load-server-keys.ts';
import { Sessions } from '../../../../server/accounts/sessions/sessions.ts';
import { TokenSigner } from '../../../../server/accounts/sessions/signed-token.ts';
import { readSettings } from '../../../../server/settings.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { rightClock } from '../../machine/clocks/right-clock.ts';
import { makeAccount, type VaultDevice } from './vault-device.ts';

export type SignedInDevice = { readonly device: VaultDevice; readonly accessToken: string };

/**
 * Accounts and sessions in the database of a relay process, as sign-up leaves them, without a quarter of a second of Argon2
 * for each.
 *
 * @param environment - The relay's.
 * @param prepare - Stores what an account holds already. The database is closed afterwards.
 */
export async function makeSignedInDevices(
  environment: Readonly<Record<string, string>>,
  count: number,
  prepare: (device: VaultDevice, index: number) => Promise<void> = () => Promise.resolve(),
): Promise<SignedInDevice[]> {
  const settings = readSettings(environment);
  const database = await openDatabase(settings);
  const keys = await loadServerKeys(settings, database);
  const signer = await TokenSigner.open(keys);
  const sessions = new Sessions({ database, keys, signer, clock: rightClock, onEnded: () => undefined });
  const devices: SignedInDevice[] = [];
  for (let index = 0; index < count; index++) {
    const device = await makeAccount(database);
    await prepare(device, index);
    const nowMs = Date.now();
    const session = await database.write((trx) => sessions.create(trx, device.accountId, nowMs));
    const { accessToken } = (await sessions.start(session, nowMs)).answer;
    devices.push({ device, accessToken });
  }
  await database.close();
  return devices;
}
