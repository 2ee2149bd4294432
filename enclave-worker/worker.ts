import { isMainThread } from 'node:worker_threads';

/* The entry of the bundle: one file that is both the worker and the thread that keeps its keys. */

await (isMainThread ? import('./main.ts') : import('./keys/key-thread.ts'));
