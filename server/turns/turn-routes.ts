import * as v from 'valibot';
import { errorCodes } from '../../crypto/protocol/messages/error-codes.ts';
import { idField } from '../../crypto/protocol/messages/fields.ts';
import {
  enclaveChangedAnswer,
  turnAccepted,
  turnAttempt,
  turnsAnswer,
  turnStart,
  turnStop,
} from '../../crypto/protocol/messages/turn-messages.ts';
import { type Answer, answer, defineRoute, type Route } from '../api/route/route.ts';
import { countText, limitText } from '../api/route/query-fields.ts';
import { decodeBytes } from '../api/route/wire-bytes.ts';
import { listTurns } from './rows/list-turns.ts';
import { readFrames } from '../frames/read-frames.ts';
import { enclaveErrors } from '../pools/enclave-call.ts';
import { sendPieces } from '../frames/send-pieces.ts';
import { attemptTurn, type StartedTurn, startTurn } from './start-turn.ts';
import { stopTurn } from './stop-turn.ts';
import { requireTurn } from './rows/turn-rows.ts';
import type { TurnService } from './turn-service.ts';

/** A sealed request of 16 MiB as base64; a turn's start carries items of that size beside it. */
const maximumRequestText = 24 * 1024 * 1024;
const maximumStartText = 2 * maximumRequestText;

/** The relay, or the enclave that a request names, may refuse to place it with these. */
const placingErrors = ['turn-conflict', 'unsupported-version', 'quota-exceeded', ...enclaveErrors] as const;

/** The one refusal that says more than its code. */
const enclaveChanged = errorCodes['enclave-changed'].status;

const turnPath = { turnId: idField };

export function turnRoutes(service: TurnService): Route[] {
  const { database } = service;
  return [
    defineRoute({
      name: 'startTurn',
      summary: 'Stores items and head, then hands the sealed request to the enclave that it names.',
      method: 'POST',
      url: '/v1/turns',
      access: 'session',
      body: turnStart,
      maximumBodyLength: maximumStartText,
      answers: { 202: turnAccepted, [enclaveChanged]: enclaveChangedAnswer },
      errors: ['head-conflict', 'item-conflict', ...placingErrors],
      limits: ['turns', 'bytes'],
      handle: async ({ session, body }) =>
        describeStart(body.turnId, await startTurn(service, session.accountId, body)),
    }),
    defineRoute({
      name: 'attemptTurn',
      summary: 'Hands another sealed request of a stored turn to an enclave.',
      method: 'POST',
      url: '/v1/turns/{turnId}/attempts',
      access: 'session',
      path: turnPath,
      body: turnAttempt,
      maximumBodyLength: maximumRequestText,
      answers: { 202: turnAccepted, [enclaveChanged]: enclaveChangedAnswer },
      errors: ['not-found', ...placingErrors],
      limits: ['turns', 'bytes'],
      handle: async ({ session, body, path }) =>
        describeStart(path.turnId, await attemptTurn(service, session.accountId, decodeBytes(path.turnId), body)),
    }),
    defineRoute({
      name: 'stopTurn',
      summary: 'Passes a stop token on to the enclave, which alone can tell whether it fits.',
      method: 'POST',
      url: '/v1/turns/{turnId}/stop',
      access: 'session',
      path: turnPath,
      body: turnStop,
      answers: { 202: v.strictObject({ format: v.literal(1) }) },
      errors: ['not-found', ...enclaveErrors],
      async handle({ session, body, path }) {
        await stopTurn(service, session.accountId, decodeBytes(path.turnId), body.stopToken);
        return answer({ format: 1 }, 202);
      },
    }),
    defineRoute({
      name: 'listTurns',
      summary: 'What the relay holds of the account’s turns, besides their frames.',
      method: 'GET',
      url: '/v1/turns',
      access: 'session',
      query: v.strictObject({ afterMs: countText(), afterId: v.optional(idField), limit: limitText(500) }),
      answers: { 200: turnsAnswer },
      limits: ['reads'],
      handle: async ({ session, query }) =>
        answer(await database.read((trx) => listTurns(trx, session.accountId, query))),
    }),
    defineRoute({
      name: 'readTurnFrames',
      summary: 'The stored transcripts of a turn as live records.',
      method: 'GET',
      url: '/v1/turns/{turnId}/frames',
      access: 'session',
      path: turnPath,
      query: v.strictObject({
        /** -1 is from the header on. */
        after: v.union([v.pipe(v.literal('-1'), v.toNumber()), countText(0xffff_ffff)]),
        transcript: v.optional(idField),
      }),
      answers: { 200: 'bytes' },
      errors: ['not-found'],
      limits: ['reads'],
      async raw(response, { session, path, query, countRead }) {
        const turnId = decodeBytes(path.turnId);
        await requireTurn(database.db, session.accountId, turnId);
        // So that what a browser saw live a moment ago is among what it reads.
        await service.journal.flush(turnId);
        const transcriptId = query.transcript === undefined ? null : decodeBytes(query.transcript);
        await sendPieces(response, readFrames(database, { turnId, after: query.after, transcriptId }), countRead);
      },
    }),
    defineRoute({
      name: 'watchAccount',
      summary: 'One endless response: the records of all running turns, and that there is something newer.',
      method: 'GET',
      url: '/v1/live',
      access: 'session',
      answers: { 200: 'bytes' },
      raw(response, { session }) {
        // Without a word: proxies and browsers ask again at once, on a new connection and so at another relay.
        if (service.isLeaving) return void response.destroy();
        // It ends with its connection: records say their length themselves, and each is one write instead of a chunk's three.
        response.shouldKeepAlive = false;
        response.useChunkedEncodingByDefault = false;
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-accel-buffering': 'no' });
        response.flushHeaders();
        // HTTP/2's response only wraps the stream, which knows how much is queued.
        const sink = 'stream' in response ? (response.stream as typeof response) : response;
        service.connect(sink, session);
      },
    }),
  ];
}

function describeStart(turnId: string, started: StartedTurn): Answer {
  if (started.kind === 'changed') return answer({ error: 'enclave-changed', enclave: started.enclave }, enclaveChanged);
  return answer({ format: 1, turnId, state: started.state }, 202);
}
