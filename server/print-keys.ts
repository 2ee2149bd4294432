import { generateServerKeys } from './accounts/keys/server-keys.ts';
import { runCommand } from './launch/run-command.ts';

/** `npm run keys`: a new server key string on one line, for SERVER_KEYS. */
await runCommand(async (say) => say(await generateServerKeys()));
