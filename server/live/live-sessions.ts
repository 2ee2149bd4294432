import type { Kysely } from 'kysely';
import type { Schema } from '../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import type { LiveClients } from './live-clients.ts';

const sessionsPerQuery = 500;

/**
 * Ends the live responses of sessions that were ended, here or through another replica.
 *
 * @param nowMs - The time by which a session may be over.
 */
export async function endDeadSessions(db: Kysely<Schema>, clients: LiveClients, nowMs: number): Promise<void> {
  const connected = [...clients.all()];
  for (let start = 0; start < connected.length; start += sessionsPerQuery) {
    const asked = connected.slice(start, start + sessionsPerQuery);
    const alive = await db
      .selectFrom('sessions')
      .select('id')
      .where(
        'id',
        'in',
        asked.map((client) => decodeBytes(client.sessionId)),
      )
      .where('expires_at', '>', nowMs)
      .execute();
    const ids = new Set(alive.map((session) => encodeBytes(session.id)));
    for (const client of asked) if (!ids.has(client.sessionId)) client.end();
  }
}
