// npm run registrar:keys: new keys, and the `modal` section of the policy file that clients are built with.
// npm run registrar:keys -- --public: that section again, of the REGISTRAR_KEYS that are set.
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { requireOne } from '../process/settings/read-values.ts';
import { toBase64Url } from '../crypto/protocol/bytes/bytes.ts';
import { generateRegistrarKeys, parseRegistrarKeys, type RegistrarKeys } from './registrar-keys.ts';
import { readKeys } from './settings.ts';
import { StartError } from '../process/start-error.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** A member that is not known yet is null, with which no client can be built. */
function orNull(value: () => string | undefined): string | null {
  try {
    return value() ?? null;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

function modalSection({ statement, log }: RegistrarKeys): object {
  return {
    modal: {
      registrarPublicKey: toBase64Url(statement.publicKey),
      logOrigin: orNull(() => requireOne('REGISTRAR_LOG_ORIGIN', process.env)),
      logPublicKey: toBase64Url(log.publicKey),
      workspaceId: orNull(() => requireOne('MODAL_WORKSPACE_ID', process.env)[0]),
      environmentId: orNull(() => requireOne('MODAL_ENVIRONMENT_ID', process.env)[0]),
      appId: orNull(() => requireOne('MODAL_APP_ID', process.env)[0]),
      functionId: orNull(() => requireOne('MODAL_FUNCTION_ID', process.env)[0]),
    },
  };
}

try {
  const [option, ...others] = process.argv.slice(2);
  if (others.length > 0 || (option !== undefined && option !== '--public')) {
    throw new StartError('The one option is --public: the policy section of the keys that are set.');
  }
  loadEnvironmentFile();
  if (option === undefined) {
    const text = generateRegistrarKeys();
    say(`REGISTRAR_KEYS=${text}`);
    say(JSON.stringify(modalSection(parseRegistrarKeys(text)), null, 2));
  } else {
    say(JSON.stringify(modalSection(readKeys(process.env)), null, 2));
  }
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : 'The keys could not be made.'}\n`);
  process.exitCode = 1;
}
