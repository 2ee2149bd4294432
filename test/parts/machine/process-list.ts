import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export type ListedProcess = {
  readonly pid: number;
  /** A Ctrl-C at one terminal reaches this group. */
  readonly group: number;
  readonly command: string;
};

/** Every process that runs; one that has ended and waits for its parent's look is none. */
export function listProcesses(): ListedProcess[] {
  return process.platform === 'linux' ? readProc() : askPs();
}

/** A bare Debian has no `ps`. */
function readProc(): ListedProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The name in brackets may hold blanks; state, parent and group are the fields behind it.
      const [state, , group] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      if (state === 'Z' || state === 'X') return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), group: Number(group), command }];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

function askPs(): ListedProcess[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, group, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), group: Number(group), command: command ?? '' }];
  });
}
