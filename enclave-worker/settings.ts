import { existsSync } from 'node:fs';
import type { Secret } from '../crypto/protocol/bytes/secret.ts';
import type { LogLevel } from '../process/event-log.ts';
import { readValues, type Values } from '../process/settings/read-values.ts';
import { StartError } from '../process/start-error.ts';
import type { EngineSettings } from './engines/auto.ts';
import type { WeightsSource } from './engines/weights/weights-digest.ts';
import type { EvidenceSettings } from './evidence/open-source.ts';
import { complainOfSurroundings, takeIdentityToken } from './evidence-settings.ts';

export type WorkerSettings = {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly logLevel: LogLevel;
  /** How long running replies may go on when the worker is told to stop. */
  readonly drainMs: number;
  /** True if the statement names `fast`: every client then asks for it, whatever it asks about. */
  readonly isFast: boolean;
  readonly engines: EngineSettings;
  readonly evidence: EvidenceSettings;
};

/**
 * Reads all settings, and takes out of the environment what must not stay in it.
 *
 * @throws {StartError} for a wrong value, or a name that is nearly a setting.
 */
export function readSettings(environment: NodeJS.ProcessEnv): WorkerSettings {
  const identityToken = takeIdentityToken(environment);
  const values = readValues('worker', environment);
  const token = values.ENCLAVE_TOKEN;
  if (token === null) {
    throw new StartError(
      'ENCLAVE_TOKEN is not set: relay and worker need the same one, as from `openssl rand -hex 32`.',
    );
  }
  const { LLM_BASE_URL: baseUrl, MODEL_FILE: modelFile } = values;
  if (values.ENGINE === 'openai' && baseUrl === null) {
    throw new StartError('ENGINE=openai needs LLM_BASE_URL, the address of the model server.');
  }
  if (modelFile !== null && !existsSync(modelFile)) throw new StartError('MODEL_FILE names no file.');
  const isServed = baseUrl !== null && (values.ENGINE === 'openai' || values.ENGINE === 'auto');
  const weights = values.LLM_WEIGHTS_FOLDER ?? values.LLM_WEIGHTS_MANIFEST;
  if (isServed && values.MODEL_DIGEST !== null && weights === null) {
    throw new StartError('MODEL_DIGEST with a model server needs LLM_WEIGHTS_FOLDER, the folder that it reads.');
  }
  const complaint = complainOfSurroundings(values);
  if (complaint !== null) throw new StartError(complaint);
  return {
    host: values.WORKER_HOST,
    port: values.WORKER_PORT,
    token,
    logLevel: values.LOG_LEVEL,
    drainMs: values.DRAIN_SECONDS,
    isFast: values.MODEL_PACE === 'fast',
    engines: {
      engine: values.ENGINE,
      server:
        baseUrl === null
          ? null
          : {
              baseUrl,
              apiKey: values.LLM_API_KEY ?? undefined,
              model: values.LLM_MODEL ?? undefined,
              weights: readWeights(values),
            },
      modelFile,
      modelDigest: values.MODEL_DIGEST,
      dataFolder: values.DATA_DIR,
      needsSalt: values.EVIDENCE !== 'development',
    },
    evidence: readEvidence(values, identityToken),
  };
}

function readWeights(values: Values<'worker'>): WeightsSource | null {
  const { LLM_WEIGHTS_FOLDER: folder, LLM_WEIGHTS_MANIFEST: manifest } = values;
  if (folder !== null && manifest !== null) {
    throw new StartError('Give LLM_WEIGHTS_FOLDER or LLM_WEIGHTS_MANIFEST, not both.');
  }
  for (const [name, path] of Object.entries({ LLM_WEIGHTS_FOLDER: folder, LLM_WEIGHTS_MANIFEST: manifest })) {
    if (path !== null && !existsSync(path)) throw new StartError(`${name} names nothing that is there.`);
  }
  if (folder !== null) return { kind: 'folder', path: folder };
  return manifest === null ? null : { kind: 'manifest', path: manifest };
}

function readEvidence(values: Values<'worker'>, identityToken: Secret<'IdentityToken'> | null): EvidenceSettings {
  const { EVIDENCE: kind } = values;
  if (kind === 'development') return { kind };
  if (kind !== 'modal') return { kind, gpuTool: values.EVIDENCE_GPU === 'nvidia' ? values.EVIDENCE_GPU_TOOL : null };
  if (identityToken === null) {
    throw new StartError('EVIDENCE=modal works inside a container of Modal: MODAL_IDENTITY_TOKEN is no token.');
  }
  return { kind, registrarUrl: values.REGISTRAR_URL ?? '', identityToken };
}
