import { parentPort } from 'node:worker_threads';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { KeyHolder } from './key-holder.ts';
import type { KeyAnswer, KeyOrder, KeysReady } from './key-messages.ts';

/* The thread that keeps the enclave's keys. They are born here after the start and never leave it. */

const checkEveryMs = 60_000;

if (parentPort === null) throw new Error('This file runs as a thread of the worker.');
const port = parentPort;

await aeadReady();
// Started from the wall clock, and then monotonic: a clock that is set back revives no expired request.
const holder = new KeyHolder({ nowMs: () => Math.floor(performance.timeOrigin + performance.now()) });
holder.rotate();
setInterval(() => holder.rotate(), checkEveryMs).unref();

port.on('message', (order: KeyOrder) => {
  if (order.type === 'statement') {
    send({ id: order.id, answer: holder.sign(order) });
    return;
  }
  if (order.type === 'possession') {
    send({ id: order.id, answer: holder.signPossession(order) });
    return;
  }
  void holder.open(order).then((answer) => send({ id: order.id, answer }));
});
port.postMessage({ type: 'ready', identityPublicKey: holder.identityPublicKey } satisfies KeysReady);

function send(answer: KeyAnswer): void {
  port.postMessage(answer);
}
