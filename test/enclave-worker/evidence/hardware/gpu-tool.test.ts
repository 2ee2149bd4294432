import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomBytes, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { EvidenceError } from '../../../../enclave-worker/evidence/source/evidence-source.ts';
import { runGpuTool } from '../../../../enclave-worker/evidence/hardware/gpu-tool.ts';
import { nvidiaGpuCollector } from '../../../../enclave-worker/evidence/hardware/machine-collectors.ts';
import { writeGpuTool } from '../../../parts/evidence/nvidia/gpu-tool.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

const machine = makeNvidiaMachine({ gpus: 2 });
let folder: TemporaryFolder;
let server: Server;
let url: string;
/** Asked with one nonce, answers with what another was signed for. */
let isReplaying = false;

beforeAll(async () => {
  folder = await makeTemporaryFolder('gpu-tool');
  server = createServer((request, response) => {
    const nonce = new URL(request.url ?? '/', 'http://gpu').searchParams.get('nonce') ?? '';
    response.end(machine.printToolOutput(isReplaying ? randomBytes(32) : Buffer.from(nonce, 'hex')));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await folder.remove();
});

async function problemOf(running: Promise<unknown>): Promise<string> {
  try {
    await running;
  } catch (error) {
    if (error instanceof EvidenceError) return error.problem;
    throw error;
  }
  return 'none';
}

describe('the vendor’s command for GPUs', () => {
  test('is asked for this nonce, without a shell and with nothing of our environment', async () => {
    const tool = writeGpuTool(folder.path, url);
    process.env['A_SECRET_OF_THE_WORKER'] = 'not for children';
    const nonce = randomBytes(32);
    const { devices, need } = await nvidiaGpuCollector(tool)(nonce);
    delete process.env['A_SECRET_OF_THE_WORKER'];
    expect(devices.map(({ architecture }) => architecture)).toEqual(['HOPPER', 'HOPPER']);
    expect(need?.kind).toBe('nvidia-gpu');
    const [call] = readFileSync(`${tool}.calls`, 'utf8').trim().split('\n');
    const { arguments: given, environment } = JSON.parse(call ?? '') as { arguments: string[]; environment: object };
    expect(given.join(' ')).toBe(
      `--format json --log-level off collect-evidence --device gpu --gpu-evidence-source nvml --nonce ${toHex(nonce)}`,
    );
    expect(Object.keys(environment).filter((name) => name !== '__CF_USER_TEXT_ENCODING')).toEqual([]);
  });

  test('a GPU report that was signed for another nonce is refused', async () => {
    const collect = nvidiaGpuCollector(writeGpuTool(folder.path, url));
    isReplaying = true;
    expect(await problemOf(collect(randomBytes(32)))).toBe('malformed');
    isReplaying = false;
    expect(await problemOf(collect(randomBytes(32)))).toBe('none');
  });

  test.each([
    ['fails', 'tool-failed'],
    ['floods', 'too-large'],
    ['babbles', 'malformed'],
  ] as const)('that %s gives %s, and nothing of what it said', async (behaviour, problem) => {
    const running = nvidiaGpuCollector(writeGpuTool(folder.path, url, behaviour))(randomBytes(32));
    const error: unknown = await running.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EvidenceError);
    expect((error as EvidenceError).problem).toBe(problem);
    expect((error as EvidenceError).message).toBe(problem);
    expect((error as EvidenceError).cause).toBeUndefined();
  });

  test('that does not end is ended', async () => {
    const started = performance.now();
    expect(await problemOf(runGpuTool(writeGpuTool(folder.path, url, 'hangs'), randomBytes(32), 800))).toBe(
      'tool-slow',
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('that is not there, or cannot be run', async () => {
    expect(await problemOf(runGpuTool(join(folder.path, 'no-such-tool'), randomBytes(32)))).toBe('tool-missing');
    const plain = join(folder.path, 'not-executable');
    writeFileSync(plain, 'no program');
    expect(await problemOf(runGpuTool(plain, randomBytes(32)))).toBe('tool-missing');
    expect(await problemOf(runGpuTool(`${plain}; touch ${folder.path}/shell`, randomBytes(32)))).toBe('tool-missing');
  });
});
