import { execFile } from 'node:child_process';
import { toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { EvidenceError } from '../source/evidence-source.ts';

/** Where NVIDIA's packages put the command of their attestation SDK. */
export const defaultGpuTool = '/usr/bin/nvattest';

const usualLimitMs = 60_000;
/** Sixteen GPUs are half a megabyte. */
const maximumOutputLength = 1024 * 1024;

/**
 * Has the GPUs of this machine sign a nonce, by way of NVIDIA's own command (`nvattest collect-evidence`, NVIDIA
 * attestation SDK). It is run without a shell and with an empty environment: it needs neither our settings nor our
 * secrets, and its own variables could send it elsewhere.
 *
 * @param nonce - 32 bytes.
 * @returns what it printed: JSON.
 * @throws {EvidenceError}
 */
export function runGpuTool(tool: string, nonce: Uint8Array, limitMs: number = usualLimitMs): Promise<string> {
  const global = ['--format', 'json', '--log-level', 'off'];
  const command = ['collect-evidence', '--device', 'gpu', '--gpu-evidence-source', 'nvml', '--nonce', toHex(nonce)];
  return new Promise((resolve, reject) => {
    const child = execFile(
      tool,
      [...global, ...command],
      {
        env: {},
        cwd: '/',
        timeout: limitMs,
        killSignal: 'SIGKILL',
        maxBuffer: maximumOutputLength,
        encoding: 'utf8',
        shell: false,
      },
      (error, output) => {
        if (error === null) return resolve(output);
        // Its words on stderr can name drivers and paths; the sort of failure says enough.
        const { code, killed } = error;
        if (code === 'ENOENT' || code === 'EACCES') return reject(new EvidenceError('tool-missing'));
        if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return reject(new EvidenceError('too-large'));
        return reject(new EvidenceError(killed === true ? 'tool-slow' : 'tool-failed'));
      },
    );
    child.stdin?.end();
  });
}
