import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { readRefusal, readRetryAfter } from '../../../../../enclave-worker/engines/openai/refusals/refusal.ts';
import { probeServer, problemText } from '../../../../../enclave-worker/engines/openai/server-search.ts';
import type { UpstreamProblem } from '../../../../../enclave-worker/engines/openai/openai.ts';
import { UpstreamCaller } from '../../../../../enclave-worker/engines/openai/wire/upstream-call.ts';
import { makeSelfSigned } from '../../../../parts/network/self-signed.ts';
import { ask, engineAt, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

/* Servers of many makers say these instead of a reply, in their own words. */

const message = (text: string, rest: object = {}) => ({ error: { message: text, ...rest } });

describe('a complaint', () => {
  const tooLong: readonly (readonly [number, unknown])[] = [
    [400, message('Prompt is 11543 tokens but the model context window is 4096 tokens.')],
    [500, message('Context size has been exceeded.', { code: 500, type: 'server_error' })],
    [400, message('max_tokens must be at least 1, got -1080.')],
    [400, message('Range of input length should be [1, 30720]', { code: 'InvalidParameter' })],
    [400, message('Invalid request: Your request exceeded model token limit: 8192')],
    [400, message('Total tokens of image and text exceed max message tokens')],
    [400, { code: '1261', message: 'Prompt 超长' }],
    [400, message('Number of prompt tokens: 10000 exceeds model max length: 4096')],
    [400, message('Current length is 8193 while limit is 8192')],
    [400, { object: 'error', message: 'The request length (5000) exceeds session_len 4096' }],
    [500, message('The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)')],
    [400, message('Request length 71599 + 2048 is greater than max_seq_len 65536')],
    [400, message('This model only supports up to 8192 tokens, but the request has 9000 tokens')],
    [400, { detail: { msg: 'prompt is too long' } }],
  ];
  const others: readonly (readonly [number, unknown, string])[] = [
    [400, message('string too long', { code: 'string_above_max_length' }), 'request-too-large'],
    [404, message('No endpoints found for nope/model.'), 'model-unknown'],
    [400, message('nope is not a valid model ID'), 'model-unknown'],
    [404, message('Unable to access model x.', { code: 'model_not_available' }), 'model-unknown'],
    [
      404,
      message('The API deployment for this resource does not exist.', { code: 'DeploymentNotFound' }),
      'model-unknown',
    ],
    [400, { message: 'The provided model identifier is invalid.' }, 'model-unknown'],
    [403, { message: "You don't have access to the model with the specified model ID." }, 'model-unknown'],
    [400, message('Model x is currently not loaded.'), 'model-unknown'],
    [400, { error: 'Model unloaded.' }, 'model-unknown'],
    [400, message('LLM Provider NOT provided. You passed model=x'), 'model-unknown'],
    [400, { error: 'The model has crashed without additional information. (Exit code: 6)' }, 'server-failed'],
    [400, { error: 'Channel Error' }, 'server-failed'],
    [424, { error: 'Request failed during generation', error_type: 'generation' }, 'server-failed'],
    [498, message('flex tier capacity exceeded'), 'model-overloaded'],
    [503, message('The model is still being downloaded'), 'model-loading'],
    [
      503,
      { detail: { msg: 'Server is busy; please try again later.', type: 'service_unavailable' } },
      'model-overloaded',
    ],
    [429, message('Rate limit reached: quota 20 RPM, retry in 3s'), 'model-overloaded'],
    [429, message('You have exceeded the quota metric requests per minute.'), 'model-overloaded'],
    [429, message('You exceeded your current quota, please check your plan and billing details.'), 'quota-spent'],
    [429, message('您的账户已欠费，请充值后重试', { code: '1113' }), 'quota-spent'],
    [403, message("Your newly created team doesn't have any credits yet."), 'quota-spent'],
    [403, { code: 403, reason: 'NOT_ENOUGH_BALANCE', message: 'not enough' }, 'quota-spent'],
    [400, message('Make sure your account is in good standing.', { code: 'Arrearage' }), 'quota-spent'],
    [
      400,
      message('Input data may contain inappropriate content.', { code: 'data_inspection_failed' }),
      'content-refused',
    ],
    [400, message('系统检测到输入或生成内容可能包含不安全或敏感内容', { code: '1301' }), 'content-refused'],
    [400, message('Content Exists Risk'), 'content-refused'],
    [403, message('Country, region, or territory not supported'), 'model-refused'],
    [400, message('Model names are case-sensitive; the load balancer found none'), 'model-refused'],
  ];
  test.each([...tooLong.map(([status, body]) => [status, body, 'context-too-long'] as const), ...others])(
    'with status %i and %j is %s',
    (status, body, reason) => {
      expect(readRefusal(status, body).reason).toBe(reason);
    },
  );

  test.each([409, 425, 502, 503, 504, 520, 521, 522, 523, 530])(
    'a gateway’s complaint with status %i may pass',
    (status) => {
      expect(readRefusal(status, '<html>')).toMatchObject({ reason: 'server-failed', isPassing: true });
    },
  );

  test.each([424, 499, 500, 501, 524])('with status %i does not pass by itself', (status) => {
    expect(readRefusal(status, '<html>')).toMatchObject({ reason: 'server-failed', isPassing: false });
  });

  test.each([
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['1500ms', 1_500],
    [' 7 ', 7_000],
    ['3, 5', 3_000],
    ['3.25', 3_250],
    ['-1', null],
    ['1e3', null],
    ['', null],
  ])('names when to come back as "%s"', (header, waitMs) => {
    expect(readRetryAfter(header, 0)).toBe(waitMs);
  });
});

describe('a server that says nothing', () => {
  async function listening<Some extends Server>(server: Some): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  async function found(url: string): Promise<readonly [string, UpstreamProblem | undefined]> {
    const caller = new UpstreamCaller(url, undefined);
    const text = problemText(await probeServer(caller, new AbortController().signal, 20_000), false);
    const problems: UpstreamProblem[] = [];
    await ask(engineAt(url, { caller, onProblem: (problem) => problems.push(problem) }));
    caller.close();
    return [text, problems[0]];
  }
  const saying = (bytes: string) =>
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
    });

  test('is told apart for the operator: a name, a certificate, another protocol', async () => {
    const { cert, key } = makeSelfSigned();
    const untrusted = createTlsServer({ cert, key });
    const http2 = createHttp2Server();
    const banner = saying('SSH-2.0-OpenSSH_9.2\r\n');
    const cutting = createServer((socket) => socket.once('data', () => socket.destroy()));
    const servers = [untrusted, http2, banner, cutting];
    const ports = await Promise.all(servers.map((server) => listening(server as Server)));
    const rows: readonly (readonly [string, string, RegExp])[] = [
      ['http://no-such-host.invalid/v1', 'host-unknown', /name that is not known/],
      [`https://localhost:${ports[0]}/v1`, 'certificate-not-trusted', /certificate/],
      [`http://127.0.0.1:${ports[1]}/v1`, 'no-http', /no HTTP\/1\.1/],
      [`http://127.0.0.1:${ports[2]}/v1`, 'no-http', /no HTTP\/1\.1/],
      [`https://localhost:${ports[2]}/v1`, 'no-tls', /no TLS/],
      [`http://127.0.0.1:${ports[3]}/v1`, 'connection-lost', /https:\/\/ or http:\/\//],
    ];
    for (const [url, why, sentence] of rows) {
      const [text, problem] = await found(url);
      expect(text).toMatch(sentence);
      expect(problem).toEqual({ reason: 'model-unreachable', status: 0, code: why });
    }
    for (const server of servers) server.close();
  });

  test('is told apart for the operator: what is wrong with TLS', async () => {
    const good = makeSelfSigned();
    const old = makeSelfSigned(2, Date.now() - 86_400_000);
    const before = getCACertificates();
    setDefaultCACertificates([...before, good.cert, old.cert]);
    const servers = [
      createTlsServer(good, (_request, response) => response.writeHead(404).end('{}')),
      createTlsServer(old),
      createTlsServer({ ...good, requestCert: true, rejectUnauthorized: true }),
    ];
    try {
      const ports = await Promise.all(servers.map((server) => listening(server as unknown as Server)));
      const rows: readonly (readonly [string, string, RegExp])[] = [
        [`https://127.0.0.1:${ports[0]}/v1`, 'certificate-of-another', /another name/],
        [`https://localhost:${ports[1]}/v1`, 'certificate-expired', /expired/],
        [`https://localhost:${ports[2]}/v1`, 'tls-refused', /certificate of the client/],
      ];
      for (const [url, why, sentence] of rows) {
        const [text, problem] = await found(url);
        expect(text).toMatch(sentence);
        expect(problem).toEqual({ reason: 'model-unreachable', status: 0, code: why });
      }
      const [text] = await found(`https://localhost:${ports[0]}/v1`);
      expect(text).not.toMatch(/certificate|TLS/);
    } finally {
      setDefaultCACertificates(before);
      for (const server of servers) server.close();
    }
  });

  test('while it works is waited for, and named when it takes too long', async () => {
    await using server = await startAnswering(() => {});
    const problems: UpstreamProblem[] = [];
    const engine = engineAt(server.url, { idleMs: 300, onProblem: (problem) => problems.push(problem) });
    expect((await ask(engine)).failure).toBe('model-unreachable');
    expect(problems).toEqual([{ reason: 'model-unreachable', status: 0, code: 'no-answer-in-time' }]);
    await engine.close();
  });
});
