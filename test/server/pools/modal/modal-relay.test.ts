import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { enclaveChoice } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import { createLog } from '../../../../process/event-log.ts';
import { CapturedOutput } from '../../../parts/machine/captured-output.ts';
import { ModalFrontDoor } from '../../../parts/worker/modal/modal-front-door.ts';
import { quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';
import * as v from 'valibot';

/* A whole relay with the settings of an operator, over HTTP. */

let door: ModalFrontDoor;
beforeEach(async () => {
  door = await new ModalFrontDoor({ bootMs: 2_500 }).start();
});
afterEach(() => door[Symbol.asyncDispose]());

const asked = () => ({ body: { format: 1, nonce: toBase64Url(randomBytes(32)), model: 'default' } });

test('a cold start over HTTP: 503 with Retry-After, then the enclave, and its end with the sign-out', async () => {
  const output = new CapturedOutput();
  const relay = await openTestRelay('sqlite', { environment: door.settings, log: createLog('debug', output) });
  const { cookie, session } = await quickSignUp(relay, 'somebody');
  const token = session.accessToken;

  const first = await relay.call('POST', '/v1/enclaves', { ...asked(), token });
  expect([first.status, first.json]).toEqual([503, { error: 'enclave-starting' }]);
  expect(first.headers.get('retry-after')).toBe('2');
  expect(door.startCalls).toBe(1);
  const ready = async () => (await relay.call('POST', '/v1/enclaves', { ...asked(), token })).status === 200;
  await until(ready);
  const answer = await relay.call('POST', '/v1/enclaves', { ...asked(), token });
  expect(v.parse(enclaveChoice, answer.json).evidence[0]?.kind).toBe('development');
  expect([door.startCalls, door.containers.length, door.liveResponses]).toEqual([1, 1, 0]);

  const tokens = [...door.sessionTokens, door.proxyToken, door.enclaveToken];
  expect(door.terminateCalls).toBe(0);
  const out = await relay.call('POST', '/v1/sign-out', { body: { format: 1 }, token, headers: { cookie } });
  expect(out.status).toBeLessThan(300);
  await until(() => door.terminateCalls === 1);
  expect(door.sessionCount).toBe(0);
  await sleep(50);
  expect(output.text).toContain('enclave-started');
  for (const secret of tokens) expect(output.text + JSON.stringify(answer.json)).not.toContain(secret);
});
