import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs a Node program with our terminal. @returns its exit code. */
export async function runToEnd(file: string, argumentList: readonly string[] = []): Promise<number> {
  const child = spawn(process.execPath, [file, ...argumentList], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
