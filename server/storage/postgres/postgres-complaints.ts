import { StartError } from '../../../process/start-error.ts';

/** By code, or by words where `pg` has none. */
const complaints: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/, 'does not speak TLS: turn it on there, or write sslmode=disable into DATABASE_URL.'],
  [/^28P01$|password must be a string/, 'refuses the user or the password of DATABASE_URL.'],
  [
    /^28000$/,
    'does not let this user in from here: look at the role, at pg_hba.conf, and whether TLS is asked for (sslmode=require).',
  ],
  [/^3D000$/, 'has no database of the name in DATABASE_URL: create it there.'],
  [
    /^53300$|no more connections|too many .*connections/,
    'grants no more connections: lower DATABASE_CONNECTIONS, here and in other relays, or raise its limit.',
  ],
  [/^57P0[123]$/, 'is starting or stopping: try again in a moment.'],
  [/^25006$/, 'takes no writes, as a standby does: give the primary, and a user who may write.'],
  [/^42501$/, 'does not let the user of DATABASE_URL make and fill tables: make that user the owner of the database.'],
  [/connection timeout|timeout expired|timeout exceeded/, 'does not answer within 8 seconds: look at host and port.'],
  [
    /^Connection terminated unexpectedly/,
    'ended a connection while Sotto started: look at its log, or at that of the pooler before it, which must be in session mode.',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'has a host name that nobody knows: look at DATABASE_URL.'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'has a certificate for another name than the one in DATABASE_URL.'],
  [/CERT/, 'has a certificate that is not trusted: give its authority as DATABASE_CA.'],
];

/** Says why a first connection did not come about. */
export function connectionComplaint(error: unknown): StartError {
  const reasons = reasonsOf(error);
  const code = reasons.find((reason) => /^[A-Z0-9_]{1,32}$/.test(reason));
  return (
    known(reasons) ??
    new StartError(
      `PostgreSQL at DATABASE_URL does not answer${code === undefined ? '' : ` (${code})`}: start it, or mend host and port.`,
    )
  );
}

/** Says what a person can mend where PostgreSQL refused the start later on; else gives the error itself. */
export function serverComplaint(error: unknown): unknown {
  const isOfServer =
    error instanceof Error && ('severity' in error || error.message.startsWith('Connection terminated unexpectedly'));
  return (isOfServer ? known(reasonsOf(error)) : undefined) ?? error;
}

function known(reasons: readonly string[]): StartError | undefined {
  const found = complaints.find(([pattern]) => reasons.some((reason) => pattern.test(reason)));
  return found && new StartError(`PostgreSQL at DATABASE_URL ${found[1]}`);
}

/** Codes and words of an error and of what caused it. */
function reasonsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code, errors } = error as Error & { code?: unknown; errors?: unknown };
  const inner = Array.isArray(errors) ? errors.flatMap((each) => reasonsOf(each)) : [];
  return [...(typeof code === 'string' ? [code] : []), error.message, ...inner, ...reasonsOf(error.cause)];
}
