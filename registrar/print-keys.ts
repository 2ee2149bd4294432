// npm run registrar:keys: new keys, and the `modal` section of the policy file that clients are built with.
// npm run registrar:keys -- --public: that section again, of the REGISTRAR_KEYS that are set.
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { toBase64Url } from '../crypto/protocol/bytes/bytes.ts';
import { generateRegistrarKeys, parseRegistrarKeys, type RegistrarKeys } from './registrar-keys.ts';
import { type Deployment, readerOf, readIds, readKeys, readLogOrigin } from './settings.ts';
import { StartError } from '../process/start-error.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
let read = readerOf({});

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
  const id = (field: keyof Deployment) => orNull(() => readIds(read, field)[0]);
  return {
    modal: {
      registrarPublicKey: toBase64Url(statement.publicKey),
      logOrigin: orNull(() => readLogOrigin(read)),
      logPublicKey: toBase64Url(log.publicKey),
      workspaceId: id('workspaceIds'),
      environmentId: id('environmentIds'),
      appId: id('appIds'),
      functionId: id('functionIds'),
    },
  };
}

try {
  const [option, ...others] = process.argv.slice(2);
  if (others.length > 0 || (option !== undefined && option !== '--public')) {
    throw new StartError('The one option is --public: the policy section of the keys that are set.');
  }
  loadEnvironmentFile();
  read = readerOf(process.env);
  if (option === undefined) {
    const text = generateRegistrarKeys();
    say(`REGISTRAR_KEYS=${text}`);
    say(JSON.stringify(modalSection(parseRegistrarKeys(text)), null, 2));
  } else {
    say(JSON.stringify(modalSection(readKeys(read)), null, 2));
  }
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : 'The keys could not be made.'}\n`);
  process.exitCode = 1;
}
