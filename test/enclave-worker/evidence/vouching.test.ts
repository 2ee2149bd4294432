import { describe, expect, test } from 'vitest';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RehearsalEngine } from '../../../enclave-worker/engines/rehearsal.ts';
import { inProcessToken, startInProcessWorker } from '../../parts/worker/in-process-worker.ts';
import { WorkerClient } from '../../parts/users/with-keys/worker-client.ts';
import { askEvidence } from '../../parts/users/with-keys/asked-evidence.ts';

const at = ({ url }: { url: string }) => ({ url, token: inProcessToken });

describe('an engine that only stands in', () => {
  test('is not vouched for: whoever asks is told that the enclave is starting', async () => {
    await using worker = await startInProcessWorker(new RehearsalEngine(), { vouchesForRehearsal: false });
    for (const model of ['default', 'rehearsal']) {
      expect(await askEvidence(at(worker), randomBytes(32), { model })).toMatchObject({ error: 'enclave-starting' });
    }
    // The chosen one may still come, by its name.
    worker.shelf.explain('model-loading', false);
    expect(await askEvidence(at(worker), randomBytes(32), { model: 'chosen' })).toMatchObject({
      error: 'enclave-starting',
    });
    worker.shelf.use({ ...modelNamed('chosen') }, 'chosen-by-setting');
    expect(await askEvidence(at(worker), randomBytes(32), { model: 'chosen' })).toMatchObject({ status: 200 });
    expect(await askEvidence(at(worker), randomBytes(32), { model: 'another' })).toMatchObject({ error: 'not-found' });
    expect(await askEvidence(at(worker), randomBytes(32), { model: 'rehearsal' })).toMatchObject({
      error: 'enclave-starting',
    });
  });

  test('is, where nothing is claimed or it was chosen', async () => {
    await using worker = await startInProcessWorker(new RehearsalEngine());
    expect(await askEvidence(at(worker), randomBytes(32))).toMatchObject({ status: 200 });
    const client = new WorkerClient(worker.url, inProcessToken);
    expect((await client.verify()).statement.engine).toBe('rehearsal');
  });
});

function modelNamed(model: string) {
  return {
    kind: 'openai' as const,
    model,
    weightsDigest: null,
    accepts: [],
    contextTokens: null,
    capacity: 1,
    async *answer() {},
    close: () => Promise.resolve(),
  };
}
