import { optional } from './setting.ts';
import { text } from './value-kinds.ts';

const row = (meaning: string) => optional(['compose'], text, meaning);

/** Only docker-compose.yml reads these, from an `.env` that serves `npm start` too; .env.example says more of each. */
export const composeRows = {
  POSTGRES_PASSWORD: row('of the database'),
  RELAY_MEMORY: row('the most that the relay may take'),
  DATABASE_MEMORY: row('the most that the database may take'),
  WORKER_MEMORY: row('the most that the worker may take'),
  MODEL_MEMORY: row('the most that the model server may take'),
  GPU_HOST_MEMORY: row('the same of a model server with a GPU'),
  SERVICE_CPUS: row('cores of everything but the model server'),
  MODEL_CPUS: row('cores of the model server'),
  GGUF_URL: row('the model, profile cpu'),
  GGUF_SHA256: row('its digest'),
  GGUF_NAME: row('its name'),
  CPU_CONTEXT_TOKENS: row('tokens for all conversations that are answered at once'),
  CPU_PARALLEL: row('how many those are'),
  MODEL: row('the model, profile gpu'),
  MODEL_REVISION: row('its commit'),
  HF_TOKEN: row('for private and gated repositories'),
  GPU_CONTEXT_TOKENS: row('tokens of a conversation'),
  GPU_MEMORY_SHARE: row("share of the GPU's memory"),
  GPU_COUNT: row('GPUs that share the model'),
  REASONING_PARSER: row('how vLLM tells reasoning from the answer'),
  CLIENT_POLICY: optional(['build', 'compose'], text, 'what the client that is built accepts as an enclave'),
};
