import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { ModalPolicy } from '../../crypto/evidence/policy/policy.ts';
import { toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { parseRegistrarKeys } from '../../registrar/registrar-keys.ts';
import { modalPolicy } from '../parts/evidence/modal/modal-machine.ts';

const settings = {
  REGISTRAR_LOG_ORIGIN: 'registrar.example.com/log-1',
  MODAL_WORKSPACE_ID: 'ac-1',
  MODAL_ENVIRONMENT_ID: 'en-1',
  MODAL_APP_ID: 'ap-1',
  MODAL_FUNCTION_ID: 'fu-1,fu-2',
};

async function run(environment: Record<string, string>, ...options: string[]) {
  const child = spawn(process.execPath, ['registrar/print-keys.ts', ...options], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, errors };
}

const sectionOf = (text: string) => (JSON.parse(text) as { modal: ModalPolicy }).modal;

test('new keys, and a policy section that a client can be built with', async () => {
  const { code, output, errors } = await run(settings);
  expect([code, errors]).toEqual([0, '']);
  const [line = '', ...rest] = output.split('\n');
  const [, text = ''] = /^REGISTRAR_KEYS=(\S+)$/.exec(line) ?? [];
  const keys = parseRegistrarKeys(text);
  const section = sectionOf(rest.join('\n'));
  expect(section).toEqual({
    registrarPublicKey: toBase64Url(keys.statement.publicKey),
    logOrigin: 'registrar.example.com/log-1',
    logPublicKey: toBase64Url(keys.log.publicKey),
    workspaceId: 'ac-1',
    environmentId: 'en-1',
    appId: 'ap-1',
    functionId: 'fu-1',
  });
  expect(modalPolicy(section).modal).toEqual(section);

  const again = await run({ ...settings, REGISTRAR_KEYS: text }, '--public');
  expect(sectionOf(again.output)).toEqual(section);
  expect(again.output).not.toContain(text);
});

test('print-keys: an unknown value is null, is said, and builds no client', async () => {
  const { code, output, errors } = await run({ ...settings, MODAL_APP_ID: '' });
  expect(code).toBe(0);
  expect(errors).toMatch(/^MODAL_APP_ID must name[^\n]*\n$/);
  const section = sectionOf(output.slice(output.indexOf('{')));
  expect(section).toMatchObject({ appId: null, workspaceId: 'ac-1' });
  expect(() => modalPolicy(section)).toThrow('Invalid type');
});

test('an option that is none, and --public without keys', async () => {
  expect(await run(settings, '--secret')).toMatchObject({ code: 1, output: '' });
  expect(await run(settings, '--public')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('REGISTRAR_KEYS is missing'),
  });
});
