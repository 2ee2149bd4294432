import { optional, usual } from './setting.ts';
import * as kind from './value-kinds.ts';

/** An empty one would mean less protection, or another model. */
const strict = { refusesEmpty: true } as const;

/** Only the enclave worker reads these. */
export const workerRows = {
  WORKER_HOST: usual(
    ['worker'],
    kind.listenHost,
    '127.0.0.1',
    'the address that it listens on; `npm start` chooses',
    strict,
  ),
  WORKER_PORT: usual(['worker'], kind.wholeNumber(0, 65_535), '8788', 'its port; `npm start` chooses', strict),
  ENGINE: usual(
    ['worker'],
    kind.oneOf('auto', 'openai', 'gguf', 'rehearsal'),
    'auto',
    '`openai`, `gguf`, `rehearsal`; `auto` in development alone',
    strict,
  ),
  LLM_BASE_URL: optional(
    ['worker'],
    kind.modelServerUrl,
    'an OpenAI-compatible server, with or without `/v1`, a name and a password (`https://name:password@host`); `unix:/path` for one on a socket, under `/v1`',
    strict,
  ),
  LLM_API_KEY: optional(['worker'], kind.foreignKey, 'its key', strict),
  LLM_MODEL: optional(
    ['worker'],
    kind.modelId,
    'any id of up to 512 characters, else the first model of its list that answers questions. A server that is given another model while the worker runs: with `EVIDENCE` or `LLM_MODEL` nothing is answered until the old one is back, otherwise the new one is named',
    strict,
  ),
  LLM_WEIGHTS_FOLDER: optional(
    ['worker'],
    kind.path,
    'the folder that this server reads: all its files are hashed at the start',
    strict,
  ),
  LLM_WEIGHTS_MANIFEST: optional(
    ['worker'],
    kind.path,
    'a list of the files instead, by whoever downloaded them: stated, not measured',
    strict,
  ),
  MODEL_FILE: optional(['worker'], kind.path, 'a GGUF file, loaded by the worker itself', strict),
  MODEL_DIGEST: optional(
    ['worker'],
    kind.sha256,
    'what the digest of the weights must be, or the model is not served',
    strict,
  ),
  MODEL_PACE: usual(
    ['worker'],
    kind.oneOf('chat', 'fast'),
    'chat',
    '`fast` for a model that writes more than 500 tokens a second: its replies leave in frames of four times the size',
    strict,
  ),
  EVIDENCE: usual(
    ['worker'],
    kind.oneOf('development', 'sev-snp', 'tdx', 'modal'),
    'development',
    'who vouches for the worker: `sev-snp`, `tdx`, `modal`',
    strict,
  ),
  EVIDENCE_GPU: usual(['worker'], kind.oneOf('none', 'nvidia'), 'none', '`nvidia`: the GPUs vouch too', strict),
  EVIDENCE_GPU_TOOL: usual(
    ['worker'],
    kind.programPath,
    '/usr/bin/nvattest',
    "NVIDIA's command, by way of which they do",
    strict,
  ),
  REGISTRAR_URL: optional(['worker'], kind.httpsUrl, 'on Modal: the registrar', strict),
  DRAIN_SECONDS: usual(
    ['worker'],
    kind.seconds(0, 3600),
    '1',
    'how long running answers may go on after SIGTERM',
    strict,
  ),
};
