import { parentPort } from 'node:worker_threads';
import * as v from 'valibot';
import { parseScannedJson } from '../../../crypto/protocol/json/strict-json.ts';
import type { BodyOrder, ReadBody } from './large-bodies.ts';
import { largeMessages } from './large-messages.ts';

/* The thread that reads large bodies. It holds nothing but the one that it reads. */

if (parentPort === null) throw new Error('This file runs as a thread of the relay.');
const port = parentPort;

port.on('message', (order: BodyOrder) => port.postMessage(read(order)));

function read({ id, route, bytes }: BodyOrder): ReadBody {
  const schema = largeMessages[route];
  if (schema === undefined) return { id, isRefused: true };
  try {
    const parsed = v.safeParse(schema, parseScannedJson(bytes), { abortEarly: true });
    return parsed.success ? { id, isRefused: false, value: parsed.output } : { id, isRefused: true };
  } catch {
    return { id, isRefused: true };
  }
}
