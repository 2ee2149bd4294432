import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openSqlite } from '../../../../server/storage/sqlite/sqlite.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

/** Lines of a child that writes into a folder until it is killed. */
function startWriter(folder: string): {
  child: ChildProcess;
  lines: string[];
  untilLine: (count: number) => Promise<void>;
} {
  const file = join(import.meta.dirname, 'writing-child.ts');
  const child = spawn(process.execPath, [file, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const untilLine = async (count: number) => {
    while (lines.length < count) await once(reader, 'line');
  };
  reader.on('line', (line) => lines.push(line));
  return { child, lines, untilLine };
}

test('kill -9: what was acknowledged is there, and the lock is free at once', async () => {
  const folder = await makeTemporaryFolder('killed');
  onTestFinished(() => folder.remove());
  for (const round of [1, 2]) {
    const { child, lines, untilLine } = startWriter(join(folder.path));
    await untilLine(100 * round);
    await expect(openSqlite(folder.path)).rejects.toThrow('Sotto is already running on the data folder');
    child.kill('SIGKILL');
    await once(child, 'close');
    const acknowledged = lines.slice(1).map(Number);
    const database = await openSqlite(folder.path);
    const rows = await database.db.selectFrom('metadata').select('name').execute();
    const stored = new Set(rows.map((row) => row.name));
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(acknowledged.filter((number) => !stored.has(`n${number}`))).toEqual([]);
    await database.db.deleteFrom('metadata').execute();
    await database.close();
  }
});
