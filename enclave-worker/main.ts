import { loadEnvironmentFile } from '../process/environment-file.ts';
import { StartError } from '../process/start-error.ts';
import { aeadReady } from '../crypto/primitives/aead.ts';
import { EngineChooser } from './engines/auto.ts';
import { readImageDigest } from './evidence/image-digest.ts';
import { openEvidenceSource } from './evidence/open-source.ts';
import { problemTexts } from './evidence/problem-texts.ts';
import { KeyKeeper } from './keys/key-keeper.ts';
import type { UpstreamProblem } from './engines/openai/openai.ts';
import { createLog, type Log } from './log.ts';
import { RareLines } from '../process/rare-lines.ts';
import { ParentChannel } from './parent-channel.ts';
import { readSettings, type WorkerSettings } from './settings.ts';
import { TurnDesk } from './turns/turn-desk.ts';
import { WorkerApp } from './http/worker-app.ts';

const lastFramesMs = 1_500;

async function run(settings: WorkerSettings, log: Log, parent: ParentChannel): Promise<void> {
  const say = (text: string) => {
    if (parent.isOpen) void parent.send({ type: 'status', text });
    else process.stdout.write(`${text}\n`);
  };
  const imageDigest = readImageDigest();
  const { kind } = settings.evidence;
  if (kind !== 'development' && imageDigest === null) {
    throw new StartError(
      `EVIDENCE=${kind} is about the worker's one file: build it with npm run build:worker and start enclave-worker/dist/worker.mjs.`,
    );
  }
  // From the first moment on: a Ctrl-C during the start is the launcher's business too.
  const stopped = new Promise<void>((resolve) => parent.onStop(resolve));
  const problems = new RareLines((problem: UpstreamProblem, unsaid) => {
    log('warn', { event: 'model-server-problem', ...problem, unsaid });
  });
  const chooser = new EngineChooser({
    settings: settings.engines,
    say,
    onProblem: (problem) => problems.add(problem),
  });
  const [keys] = await Promise.all([
    KeyKeeper.start(() => {
      // The keys are gone, and with them every request on its way: a new process makes new ones.
      log('error', { event: 'keys-lost' });
      process.exit(1);
    }),
    aeadReady(),
    chooser.start(),
  ]);
  const desk = new TurnDesk({ findEngine: (model) => chooser.shelf.find(model) });
  const evidence = openEvidenceSource({
    settings: settings.evidence,
    identityPublicKey: keys.identityPublicKey,
    imageDigest,
    signPossession: (challenge, purpose) => keys.signPossession({ challenge, purpose }),
    // Like the clock of the key statements: wall time at first, and never back.
    nowMs: () => Math.floor(performance.timeOrigin + performance.now()),
    onProblem: (problem) => {
      log('error', { event: 'evidence-problem', problem });
      say(`No new evidence: ${problemTexts[problem]}.`);
    },
    onReady: () => log('info', { event: 'evidence-ready' }),
  });
  const app = new WorkerApp({
    token: settings.token,
    shelf: chooser.shelf,
    keys,
    evidence,
    isFast: settings.isFast,
    vouchesForRehearsal: kind === 'development' || settings.engines.engine === 'rehearsal',
    desk,
    log,
  });
  evidence.start();
  const port = await listen(app, settings);
  log('info', { event: 'listening', port });
  await parent.send({ type: 'ready', port });

  await stopped;
  log('info', { event: 'stopping', runningTurns: desk.pacedTurns });
  await desk.drain(settings.drainMs, lastFramesMs);
  app.close();
  evidence.close();
  await Promise.all([chooser.close(), keys.stop()]);
  log('info', { event: 'stopped' });
}

/** @throws {StartError} */
async function listen(app: WorkerApp, { host, port }: WorkerSettings): Promise<number> {
  try {
    return await app.listen(host, port);
  } catch (error) {
    const isInUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new StartError(
      isInUse
        ? `Port ${port} is in use: choose another with WORKER_PORT.`
        : `Nothing can listen on ${host}, port ${port}: change WORKER_HOST or WORKER_PORT.`,
    );
  }
}

const parent = new ParentChannel();
try {
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  const log = createLog(settings.logLevel);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      // Node itself would print all of it, and with it what somebody wrote; its class holds nothing.
      log('error', { event: 'internal-error', kind: error instanceof Error ? error.constructor.name : 'unknown' });
      // In an unknown state nothing is opened any more.
      process.exit(1);
    });
  }
  await run(settings, log, parent);
  process.exit(0);
} catch (error) {
  const text = error instanceof StartError ? error.message : 'The worker could not start.';
  await parent.send({ type: 'failed', text });
  // A launcher says it itself.
  if (!parent.isOpen) process.stderr.write(`${text}\n`);
  process.exit(1);
}
