import { request } from 'node:http';
import { cryptoReady, signUp } from '../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../parts/users/with-keys/node-device.ts';
import { decodeLiveRecord } from '../../crypto/protocol/messages/live-record.ts';
import { ReplyReader } from '../parts/users/with-keys/sealed-turn.ts';
import { NodeRelay } from '../parts/users/with-keys/node-relay.ts';
import { RelayAndWorker } from '../parts/relay/relay-and-worker.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { startUpstream } from '../parts/worker/upstream/upstream.ts';
import { type Figure, percentile } from './figure.ts';

const rounds = 60;
const warmUps = 6;
/** Turns are limited by account. */
const accounts = 3;
/** A turn goes on to its rung of frames; the next begins meanwhile, at any place of the tick. */
const pauseMs = 130;
const tickMs = 100;

/**
 * Measures what Sotto adds to the time to the first token: sealed, stored, forwarded, paced, relayed and opened, over the same
 * upstream asked directly. The two alternate, so that both meet the same machine.
 */
export async function benchFirstToken(): Promise<Figure[]> {
  await cryptoReady();
  await using upstream = await startUpstream(['bench-model']);
  upstream.answerWith({ tokens: ['First ', 'and ', 'last.'], delayMs: 5 });
  await using folder = await makeTemporaryFolder('bench');
  const engine = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl, LLM_MODEL: 'bench-model' };
  await using system = await new RelayAndWorker({ DATA_DIR: folder.path }, engine).start();
  let onRecord: (record: Uint8Array) => void = () => undefined;
  const devices: NodeDevice[] = [];
  for (let number = 0; number < accounts; number++) {
    const relay = new NodeRelay(system.url);
    devices.push(new NodeDevice(relay, await signUp(relay, `bench-person-${number}`, 'a password of some length')));
    await relay.watch((record) => onRecord(record));
  }

  const added: number[] = [];
  const through: number[] = [];
  for (let round = -warmUps; round < rounds; round++) {
    const device = devices[(round + warmUps) % accounts];
    if (device === undefined) throw new Error('There are as many devices as accounts.');
    const direct = await askDirectly(upstream.baseUrl);
    // Verified when the conversation was opened; what is counted begins with Send.
    const enclave = await device.verifiedEnclave();
    const startedAt = performance.now();
    const prepared = await device.prepareTurn('Say something.', { stored: true, enclave });
    const reader = new ReplyReader(prepared);
    const firstText = new Promise<number>((resolve) => {
      onRecord = (record) => {
        reader.take(decodeLiveRecord(record));
        if (reader.text !== '') resolve(performance.now());
      };
    });
    await device.relay.expect(202, 'POST', '/v1/turns', prepared.start);
    const elapsed = (await firstText) - startedAt;
    if (round >= 0) {
      through.push(elapsed);
      added.push(elapsed - direct);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs + Math.random() * tickMs));
  }
  const note = `${rounds} turns, ticks of ${tickMs} ms`;
  return [
    { measure: 'time to first token, added p50', value: percentile(added, 0.5), unit: 'ms', note },
    { measure: 'time to first token, added p95', value: percentile(added, 0.95), unit: 'ms', note },
    {
      measure: 'time to first token, whole p50',
      value: percentile(through, 0.5),
      unit: 'ms',
      note: 'from Send to opened text',
    },
  ];
}

function askDirectly(baseUrl: string): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({
    model: 'bench-model',
    stream: true,
    messages: [{ role: 'user', content: 'Say something.' }],
  });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const call = request(`${baseUrl}/chat/completions`, { method: 'POST', headers }, (response) => {
      let text = '';
      let first = 0;
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (first === 0 && text.includes('First')) first = performance.now() - startedAt;
      });
      response.on('end', () => resolve(first));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
