import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { deriveStopToken } from '../../../../crypto/turn/turn-key.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import type { Turn } from '../reading/reply-reader.ts';

/** Ends the reply of a turn wherever it runs, by the token that only who asked can have. @throws {RelayCallError}. */
export async function stopAtRelay(
  relay: Pick<RelayClient, 'stopTurn'>,
  { turnId, turnKey }: Pick<Turn, 'turnId' | 'turnKey'>,
): Promise<void> {
  const stopToken = deriveStopToken({
    turnKey: new Secret('TurnKey', fromBase64Url(turnKey)),
    turnId: fromBase64Url(turnId),
  });
  await relay.stopTurn(turnId, { format: 1, stopToken: toBase64Url(stopToken) });
}
