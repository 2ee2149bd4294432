import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { EngineShelf } from '../../../enclave-worker/engines/engine-shelf.ts';
import { DevelopmentSource } from '../../../enclave-worker/evidence/development-source.ts';
import type { EvidenceSource } from '../../../enclave-worker/evidence/source/evidence-source.ts';
import type { Engine } from '../../../enclave-worker/engines/engine/engine.ts';
import { KeyKeeper } from '../../../enclave-worker/keys/key-keeper.ts';
import { createLog } from '../../../enclave-worker/log.ts';
import type { TurnLimits } from '../../../enclave-worker/turns/admission.ts';
import type { HoldLimits } from '../../../enclave-worker/turns/held-replies.ts';
import { TurnDesk } from '../../../enclave-worker/turns/turn-desk.ts';
import { WorkerApp } from '../../../enclave-worker/http/worker-app.ts';

export const inProcessToken = 'another-token-for-tests-0123';

export interface InProcessWorker extends AsyncDisposable {
  readonly url: string;
  readonly shelf: EngineShelf;
  readonly desk: TurnDesk;
  readonly log: string[];
}

/** All parts of the worker over real HTTP, with the engine and the limits that a test wants. */
export async function startInProcessWorker(
  engine: Engine,
  options: {
    readonly turnLimits?: TurnLimits;
    readonly holdLimits?: HoldLimits;
    /** Development evidence unless this makes another source. */
    readonly evidence?: (keys: KeyKeeper) => EvidenceSource;
    readonly vouchesForRehearsal?: boolean;
    readonly isFast?: boolean;
  } = {},
): Promise<InProcessWorker> {
  await aeadReady();
  const log: string[] = [];
  const shelf = new EngineShelf(engine, 'chosen-by-setting');
  const keys = await KeyKeeper.start(() => log.push('keys lost'));
  const desk = new TurnDesk({ findEngine: (model) => shelf.find(model), ...options });
  const evidence = options.evidence?.(keys) ?? new DevelopmentSource(keys.identityPublicKey);
  evidence.start();
  const app = new WorkerApp({
    token: inProcessToken,
    shelf,
    keys,
    evidence,
    vouchesForRehearsal: options.vouchesForRehearsal ?? true,
    isFast: options.isFast ?? false,
    desk,
    log: createLog('debug', { write: (line) => log.push(String(line)) > 0 }),
  });
  const port = await app.listen('127.0.0.1', 0);
  return {
    url: `http://127.0.0.1:${port}`,
    shelf,
    desk,
    log,
    [Symbol.asyncDispose]: async () => {
      await desk.drain(0, 0);
      app.close();
      evidence.close();
      await keys.stop();
      await shelf.close();
    },
  };
}
