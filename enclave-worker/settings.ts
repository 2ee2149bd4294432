import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { hashField } from '../crypto/protocol/messages/fields.ts';
import type { Secret } from '../crypto/protocol/bytes/secret.ts';
import type { EngineSettings } from './engines/auto.ts';
import { isUsableId } from './engines/openai/model-offer.ts';
import { readSocketPath } from './engines/upstream-call.ts';
import {
  complainOfSurroundings,
  evidenceEntries,
  type EvidenceSettings,
  takeIdentityToken,
} from './evidence-settings.ts';
import type { WeightsSource } from './engines/weights-digest.ts';
import type { LogLevel } from '../process/event-log.ts';
import { StartError } from '../process/start-error.ts';
import { complainOfUnknownName } from './setting-names.ts';

export type WorkerSettings = {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly logLevel: LogLevel;
  /** How long running answers may go on when the worker is told to stop. */
  readonly drainMs: number;
  readonly engines: EngineSettings;
  readonly evidence: EvidenceSettings;
};

function text(name: string, what: string) {
  return v.pipe(v.string(), v.minLength(1, `${name} is empty: ${what}.`), v.maxLength(2048, `${name} is too long.`));
}

const portRule = 'WORKER_PORT must be a port, 0 to 65535.';
const drainRule = 'DRAIN_SECONDS must be whole seconds, 0 to 3600.';
const urlRule = 'LLM_BASE_URL must be an address such as http://127.0.0.1:8000/v1, or unix:/… for a socket.';
const digestRule = 'MODEL_DIGEST must be a SHA-256 in base64url, 43 characters.';
const environmentSchema = v.object({
  WORKER_HOST: v.optional(text('WORKER_HOST', 'give an address of this machine'), '127.0.0.1'),
  WORKER_PORT: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^\d{1,5}$/, portRule)), '8788'),
    v.transform(Number),
    v.maxValue(65_535, portRule),
  ),
  ENCLAVE_TOKEN: v.pipe(
    v.optional(v.string(), ''),
    v.minLength(1, 'ENCLAVE_TOKEN is not set: relay and worker need the same one, such as 32 random bytes in base64.'),
    v.minLength(16, 'ENCLAVE_TOKEN is too short: give at least 16 characters.'),
    v.regex(/^[!-~]*$/, 'ENCLAVE_TOKEN holds blanks or accents: give letters, digits and signs only.'),
    v.maxLength(512, 'ENCLAVE_TOKEN is too long: give at most 512 characters.'),
  ),
  ENGINE: v.optional(
    v.picklist(['auto', 'openai', 'gguf', 'rehearsal'], 'ENGINE must be auto, openai, gguf or rehearsal.'),
    'auto',
  ),
  LLM_BASE_URL: v.optional(
    v.pipe(
      v.string(),
      v.check((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? '') || readSocketPath(url) !== null, urlRule),
    ),
  ),
  LLM_API_KEY: v.optional(
    v.pipe(
      v.string(),
      // Files and secrets of clusters end in a line end.
      v.trim(),
      text('LLM_API_KEY', 'leave it out where no key is needed'),
      v.regex(/^[!-~]*$/, 'LLM_API_KEY holds blanks, line ends or accents: give the key alone.'),
    ),
  ),
  LLM_MODEL: v.optional(
    v.pipe(
      v.string(),
      v.check((id) => isUsableId(id), "LLM_MODEL must be a model's id in at most 512 characters, without line ends."),
    ),
  ),
  LLM_WEIGHTS_FOLDER: v.optional(text('LLM_WEIGHTS_FOLDER', 'give the folder that the model server reads')),
  LLM_WEIGHTS_MANIFEST: v.optional(text('LLM_WEIGHTS_MANIFEST', 'give the path of a manifest of weights')),
  MODEL_FILE: v.optional(text('MODEL_FILE', 'give the path of a GGUF file')),
  MODEL_DIGEST: v.optional(
    v.pipe(
      v.string(),
      v.check((digest) => v.is(hashField, digest), digestRule),
    ),
  ),
  ...evidenceEntries,
  DATA_DIR: v.optional(text('DATA_DIR', 'give a folder'), './data'),
  DRAIN_SECONDS: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^\d{1,4}$/, drainRule)), '1'),
    v.transform((seconds) => Number(seconds) * 1000),
    v.maxValue(3_600_000, drainRule),
  ),
  LOG_LEVEL: v.optional(
    v.picklist(['debug', 'info', 'warn', 'error'], 'LOG_LEVEL must be debug, info, warn or error.'),
    'info',
  ),
});

/**
 * Reads all settings, and takes out of the environment what must not stay in it.
 *
 * @throws {StartError} for a wrong value, or a name that is nearly a setting.
 */
export function readSettings(environment: NodeJS.ProcessEnv): WorkerSettings {
  const identityToken = takeIdentityToken(environment);
  const unknown = complainOfUnknownName(environment);
  if (unknown !== null) throw new StartError(unknown);
  const parsed = v.safeParse(environmentSchema, environment);
  if (!parsed.success) throw new StartError(parsed.issues[0].message);
  const values = parsed.output;
  const modelFile = values.MODEL_FILE === undefined ? null : resolve(values.MODEL_FILE);
  if (values.ENGINE === 'openai' && values.LLM_BASE_URL === undefined) {
    throw new StartError('ENGINE=openai needs LLM_BASE_URL, the address of the model server.');
  }
  if (modelFile !== null && !existsSync(modelFile)) throw new StartError('MODEL_FILE names no file.');
  const isServed = values.LLM_BASE_URL !== undefined && (values.ENGINE === 'openai' || values.ENGINE === 'auto');
  const weights = values.LLM_WEIGHTS_FOLDER ?? values.LLM_WEIGHTS_MANIFEST;
  if (isServed && values.MODEL_DIGEST !== undefined && weights === undefined) {
    throw new StartError('MODEL_DIGEST with a model server needs LLM_WEIGHTS_FOLDER, the folder that it reads.');
  }
  const complaint = complainOfSurroundings(values);
  if (complaint !== null) throw new StartError(complaint);
  return {
    host: values.WORKER_HOST,
    port: values.WORKER_PORT,
    token: values.ENCLAVE_TOKEN,
    logLevel: values.LOG_LEVEL,
    drainMs: values.DRAIN_SECONDS,
    engines: {
      engine: values.ENGINE,
      server:
        values.LLM_BASE_URL === undefined
          ? null
          : {
              baseUrl: values.LLM_BASE_URL,
              apiKey: values.LLM_API_KEY,
              model: values.LLM_MODEL,
              weights: readWeights(values),
            },
      modelFile,
      modelDigest: values.MODEL_DIGEST ?? null,
      dataFolder: resolve(values.DATA_DIR),
      needsSalt: values.EVIDENCE !== 'development',
    },
    evidence: readEvidence(values, identityToken),
  };
}

type Values = v.InferOutput<typeof environmentSchema>;

function readWeights({ LLM_WEIGHTS_FOLDER: folder, LLM_WEIGHTS_MANIFEST: manifest }: Values): WeightsSource | null {
  if (folder !== undefined && manifest !== undefined) {
    throw new StartError('Give LLM_WEIGHTS_FOLDER or LLM_WEIGHTS_MANIFEST, not both.');
  }
  for (const [name, path] of Object.entries({ LLM_WEIGHTS_FOLDER: folder, LLM_WEIGHTS_MANIFEST: manifest })) {
    if (path !== undefined && !existsSync(path)) throw new StartError(`${name} names nothing that is there.`);
  }
  if (folder !== undefined) return { kind: 'folder', path: resolve(folder) };
  return manifest === undefined ? null : { kind: 'manifest', path: resolve(manifest) };
}

function readEvidence(values: Values, identityToken: Secret<'IdentityToken'> | null): EvidenceSettings {
  const { EVIDENCE: kind } = values;
  if (kind === 'development') return { kind };
  if (kind !== 'modal') return { kind, gpuTool: values.EVIDENCE_GPU === 'nvidia' ? values.EVIDENCE_GPU_TOOL : null };
  if (identityToken === null) {
    throw new StartError('EVIDENCE=modal works inside a container of Modal: MODAL_IDENTITY_TOKEN is no token.');
  }
  return { kind, registrarUrl: values.REGISTRAR_URL ?? '', identityToken };
}
