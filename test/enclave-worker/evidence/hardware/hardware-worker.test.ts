import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WorkerStatusAnswer } from '../../../../crypto/protocol/messages/worker-messages.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { combineDigests } from '../../../../enclave-worker/engines/weights/weights-digest.ts';
import { HardwareWorker } from '../../../parts/evidence/hardware-worker.ts';
import { TestChip } from '../../../parts/evidence/amd/test-chip.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { startUpstream } from '../../../parts/worker/upstream/upstream.ts';
import { readReply } from '../../../parts/users/with-keys/sealed-turn.ts';
import { WorkerClient } from '../../../parts/users/with-keys/worker-client.ts';
import { askAndJudge, askEvidence, judge, withCollateral } from '../../../parts/users/with-keys/asked-evidence.ts';

/* The built worker as a process, its kernel and its nvattest on a test machine, judged as a client judges. */

describe('a worker with hardware evidence', () => {
  test.each([
    ['sev-snp', {}, 'hardware', ['sev-snp']],
    ['tdx', {}, 'hardware', ['tdx']],
    ['sev-snp', { gpus: 2 }, 'hardware-gpu', ['sev-snp', 'nvidia-gpu']],
    ['tdx', { gpus: 1 }, 'hardware-gpu', ['tdx', 'nvidia-gpu']],
  ] as const)('%s %j is verified under its machine’s root', async (kind, options, level, needs) => {
    await using chip = await TestChip.start(kind, options);
    await using worker = await HardwareWorker.start(chip);
    const nonce = randomBytes(32);
    const { answer } = await askEvidence(worker, nonce);
    expect(answer.collateralNeeds?.map((need) => need.kind)).toEqual(needs);
    expect(answer.collateral).toBeUndefined();
    // Each chip's own certificate, and the two that they share.
    const asked = answer.collateralNeeds?.flatMap((need) =>
      need.kind === 'nvidia-gpu' ? (need.revocationIds ?? []) : [],
    );
    expect(asked).toHaveLength('gpus' in options ? options.gpus + 2 : 0);
    const policy = worker.policy(chip);
    const verdict = await judge(withCollateral(answer, chip.collateral()), nonce, policy);
    expect(verdict).toMatchObject({ refused: false, kind, level, measurement: chip.machine.measurement });
    if (verdict.refused) return;
    expect(verdict.release?.imageDigest).toBe(worker.imageDigest);

    // Its twins: another machine's root, another file, another measurement.
    await using stranger = await TestChip.start(kind, options);
    const strange = await judge(
      withCollateral(answer, chip.collateral()),
      nonce,
      stranger.policyFor(worker.imageDigest),
    );
    expect(strange.refused).toBe(true);
    const otherFile = chip.policyFor(toBase64Url(new Uint8Array(32)));
    expect(await judge(withCollateral(answer, chip.collateral()), nonce, otherFile)).toMatchObject({
      refused: true,
      code: 'measurement',
    });
    expect(await judge(answer, nonce, policy)).toMatchObject({ refused: true, code: 'collateral-missing' });
  });

  test('the host’s own certificates go along, and nothing need be fetched', async () => {
    await using chip = await TestChip.start('sev-snp', { hostHasCertificates: true });
    await using worker = await HardwareWorker.start(chip);
    const verdict = await askAndJudge(worker, worker.policy(chip), []);
    expect(verdict).toMatchObject({ refused: false, level: 'hardware' });
    expect(verdict.answer.collateralNeeds).toBeUndefined();
    expect(verdict.answer.collateral?.map(({ kind }) => kind)).toEqual(['sev-snp']);
  });

  test('hardware signs for a client’s own nonce where that is asked for, and not where it is not', async () => {
    await using chip = await TestChip.start('sev-snp', { gpus: 1 });
    await using worker = await HardwareWorker.start(chip);
    const strict = worker.policy(chip, { requireNonceInReport: true });
    expect(await askAndJudge(worker, strict, chip.collateral(), { fresh: true })).toMatchObject({ refused: false });
    expect(await askAndJudge(worker, strict, chip.collateral())).toMatchObject({ refused: true, code: 'nonce' });
    const reports = chip.reports;
    for (let i = 0; i < 3; i += 1) await askAndJudge(worker, worker.policy(chip), chip.collateral());
    // The report at hand is shown again: no report a call.
    expect(chip.reports).toBe(reports);
  });

  test('too many that want their own are told to come again, and the rest go on', async () => {
    await using chip = await TestChip.start('tdx');
    await using worker = await HardwareWorker.start(chip);
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => askEvidence(worker, randomBytes(32), { fresh: true })),
    );
    const busy = replies.filter(({ error }) => error === 'enclave-busy');
    const answered = replies.filter(({ status }) => status === 200);
    expect(busy.length + answered.length).toBe(40);
    expect(answered.length).toBeGreaterThanOrEqual(8);
    expect(busy.length).toBeGreaterThanOrEqual(16);
    expect((await askEvidence(worker, randomBytes(32))).status).toBe(200);
  });

  test('without evidence nothing is vouched for, and the status says why', async () => {
    await using chip = await TestChip.start('sev-snp');
    chip.isDown = true;
    await using worker = await HardwareWorker.start(chip);
    expect(await askEvidence(worker, randomBytes(32))).toMatchObject({ status: 503, error: 'enclave-starting' });
    const client = new WorkerClient(worker.url, worker.token);
    const status: unknown = await (await client.call('GET', '/status')).json();
    expect(status).toMatchObject({ status: { state: 'loading', reason: 'evidence-pending' } });
    expect(worker.printed).toContain('No new evidence');

    chip.isDown = false;
    let verdict = null;
    for (let attempt = 0; attempt < 60 && verdict === null; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      verdict = await askAndJudge(worker, worker.policy(chip), chip.collateral()).catch(() => null);
    }
    expect(verdict).toMatchObject({ refused: false, level: 'hardware' });
    expect(await (await client.call('GET', '/status')).json()).toMatchObject({ status: { state: 'ready' } });
  });

  test('states the weights that it measured, which a policy compares (M4)', async () => {
    await using folder = await makeTemporaryFolder('weights');
    writeFileSync(join(folder.path, 'model.safetensors'), 'weights');
    await using upstream = await startUpstream(['served']);
    await using chip = await TestChip.start('tdx');
    await using worker = await HardwareWorker.start(chip, {
      ENGINE: 'openai',
      LLM_BASE_URL: upstream.baseUrl,
      LLM_WEIGHTS_FOLDER: folder.path,
    });
    const files = [{ path: 'model.safetensors', sha256: createHash('sha256').update('weights').digest('hex') }];
    const policyWith = (digest: string) =>
      worker.policy(chip, { models: [{ model: 'served', weightsDigests: [digest] }] });
    const client = new WorkerClient(worker.url, worker.token);
    for (let state = ''; state !== 'ready';) {
      const answer: unknown = await (await client.call('GET', '/status')).json();
      state = (answer as WorkerStatusAnswer).status.state;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const verdict = await askAndJudge(worker, policyWith(combineDigests(files)), chip.collateral());
    expect(verdict).toMatchObject({ refused: false, statement: { model: 'served', engine: 'openai' } });
    const other = await askAndJudge(worker, policyWith('A'.repeat(43)), chip.collateral());
    expect(other).toMatchObject({ refused: true, code: 'model' });
    const rehearsal = await askEvidence(worker, randomBytes(32), { model: 'rehearsal' });
    expect(rehearsal.error).toBe('enclave-starting');
  });

  test('answers a turn that was sealed on the ground of its evidence', async () => {
    await using chip = await TestChip.start('tdx');
    await using worker = await HardwareWorker.start(chip);
    const client = new WorkerClient(worker.url, worker.token, worker.policy(chip), chip.collateral());
    const live = await client.live();
    const turn = await client.seal('Who are you?');
    expect((await client.start(live, turn)).status).toBe(202);
    await live.untilClosed(turn);
    expect(readReply(turn, live.of(turn))).toMatchObject({ isFinal: true, end: { outcome: 'complete' } });
    expect(worker.printed).not.toContain('Who are you?');
    live.close();
  });
});
