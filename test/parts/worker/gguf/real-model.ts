import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const file = resolve(import.meta.dirname, '../../../models/SmolLM2-135M-Instruct.Q4_1.gguf');

/** A real model, small enough for a test (SmolLM2-135M-Instruct), where `.ci/bring-model` brought it; else null. */
export const realModelFile: string | null = existsSync(file) ? file : null;

/** SHA-256 of the file in hex. */
export const realModelDigest = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
