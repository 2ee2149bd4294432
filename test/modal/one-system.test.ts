import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { verificationDocument } from '../../crypto/evidence/document-formats.ts';
import { itemContent } from '../../crypto/protocol/contents/item-contents.ts';
import { digestWeights } from '../../enclave-worker/engines/weights/weights-digest.ts';
import { readSettings } from '../../enclave-worker/settings.ts';
import { openDatabase } from '../../server/storage/open-database.ts';
import { writeBackup } from '../../server/storage/backup/backup-file.ts';
import { pythonEnvironment, runPython } from '../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

const environment = pythonEnvironment();
const python = environment.python ?? '';
const because = environment.reason === null ? '' : ` (skipped: ${environment.reason})`;

describe.skipIf(environment.reason !== null)(`modal/ beside the rest of Sotto${because}`, () => {
  it('the worker takes the environment that its container gives it', async () => {
    await using folder = await makeTemporaryFolder('modal');
    const printed = runPython(python, ['test/modal/settings_test.py', '--print-worker-environment']);
    const given = v.parse(v.record(v.string(), v.string()), JSON.parse(printed.output));
    expect(given['LLM_WEIGHTS_MANIFEST']).toBe('/weights/model@commit/.sotto-weights.json');
    const manifest = join(folder.path, '.sotto-weights.json');
    writeFileSync(manifest, '{}');
    const settings = readSettings({ ...given, LLM_WEIGHTS_MANIFEST: manifest });
    expect(settings).toMatchObject({
      host: '0.0.0.0',
      port: 8788,
      engines: { engine: 'openai', server: { baseUrl: 'http://127.0.0.1:8000/v1', model: 'Qwen/Qwen3.5-9B' } },
      evidence: { kind: 'modal', registrarUrl: 'https://registrar.example.org' },
    });
    expect(() => readSettings({ ...given, LLM_WEIGHTS_MANIFEST: manifest, MODAL_IDENTITY_TOKEN: '' })).toThrow(
      /MODAL_IDENTITY_TOKEN/,
    );
  });

  it('the digest that the download prints is the one that the worker states', async () => {
    await using folder = await makeTemporaryFolder('weights');
    const printed = runPython(python, ['test/modal/weights_test.py', '--lay', folder.path]);
    const { signal } = new AbortController();
    const manifest = join(folder.path, '.sotto-weights.json');
    expect(await digestWeights({ kind: 'manifest', path: manifest }, signal)).toBe(printed.output.trim());
    expect(await digestWeights({ kind: 'folder', path: folder.path }, signal)).toBe(printed.output.trim());
    writeFileSync(join(folder.path, 'base/config.json'), '{ }');
    await expect(digestWeights({ kind: 'manifest', path: manifest }, signal)).rejects.toThrow('model-failed');
  });

  it('a real backup is refused as training data under any name', async () => {
    await using folder = await makeTemporaryFolder('backup');
    const database = await openDatabase({ postgres: null, dataFolder: folder.path });
    const backup = join(folder.path, 'x.backup');
    await writeBackup(backup, database, { createdAtMs: 1, serverKeys: 'keys' });
    await database.close();
    expect(refusal(folder.path, 'train.jsonl', await readFile(backup))).toContain('cannot be read');
    const [header = ''] = gunzipSync(await readFile(backup))
      .toString('utf8')
      .split('\n');
    expect(refusal(folder.path, 'train.jsonl', `${header}\n`)).toContain('records of Sotto');
    expect(refusal(folder.path, 'train.jsonl', '{"text":"format: free"}\n')).toBeNull();
  });

  it.each(verificationDocument.options.map(({ entries }) => [entries.format.literal, Object.keys(entries)] as const))(
    'a verification document is refused as training data: %s',
    async (_format, names) => {
      await using folder = await makeTemporaryFolder('documents');
      const document = Object.fromEntries(names.map((name) => [name, 'x']));
      expect(refusal(folder.path, 'train.json', JSON.stringify({ ...document, format: 1 }))).toContain(
        'records of Sotto',
      );
      expect(refusal(folder.path, 'train.jsonl', JSON.stringify({ text: JSON.stringify(document) }))).toContain(
        'Sotto',
      );
    },
  );

  it.each(itemContent.options.map((schema) => [schema.entries.type.literal, schema] as const))(
    'an item of the vault is refused as training data: %s',
    async (type, schema) => {
      await using folder = await makeTemporaryFolder('items');
      // Every field that a schema names, with any value: what counts is what an export of such items would hold.
      const item = Object.fromEntries(Object.keys(schema.entries).map((name) => [name, 'x']));
      expect(refusal(folder.path, 'train.jsonl', JSON.stringify({ ...item, type, format: 1 }))).toContain('Sotto');
      expect(
        refusal(folder.path, 'train.json', JSON.stringify([{ text: 'x', kept: { ...item, type, format: 1 } }])),
      ).toContain('Sotto');
      expect(refusal(folder.path, 'train.jsonl', JSON.stringify({ text: 'x', createdAtMs: 1 }))).toBeNull();
    },
  );
});

/** Gives what `finetune.py` says of a file, or null when it takes it. */
function refusal(folder: string, name: string, content: string | Buffer): string | null {
  const file = join(folder, name);
  writeFileSync(file, content);
  const { status, error } = runPython(python, ['test/modal/training_data_test.py', '--check', file]);
  return status === 0 ? null : error.trim();
}
