import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeVerificationDocument, makeVerificationDocument } from '../../crypto/evidence/verification-document.ts';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { makeAmdMachine } from '../parts/evidence/amd/amd-machine.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../parts/evidence/hardware-attestation.ts';
import { modalPolicy } from '../parts/evidence/modal/modal-machine.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';
import { testNowMs } from '../parts/evidence/vendors/certificate-maker.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

const page = readFileSync(resolve('audit/README.md'), 'utf8');
/** The commands of each row, as a person copies them. */
const rows = [...page.matchAll(/^\| (`.*?[^\\]) \| /gm)].map(([, cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command.replaceAll('\\|', '|')),
);
const commands = rows.flat();
const commandWith = (text: string): string => {
  const found = commands.filter((command) => command.includes(text));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
};

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeTemporaryFolder('audit-page');
});
afterAll(() => folder.remove());

/** Runs a line of the page in a shell, with the reader's own files and addresses in place of the examples. */
function run(line: string, own: Readonly<Record<string, string>>) {
  const command = Object.entries(own).reduce((text, [example, mine]) => {
    expect(text).toContain(example);
    return text.replace(example, mine);
  }, line);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder.path },
  });
  return { status, printed: stdout + stderr };
}

test('audit/README.md: its command checks a document, and sees one changed byte', async () => {
  const chip = makeAmdMachine();
  const policy = hardwarePolicy({
    measured: { sevSnp: [chip.measurement], tdx: [] },
    sevSnp: chip.policy,
    allowedKinds: ['sev-snp'],
  });
  const nonce = randomBytes(32);
  const attestation = await makeHardwareAttestation({ nonce, machine: (expected) => chip.makeEvidence({ expected }) });
  const question = { nonce, model: 'default', minimum: 'hardware' as const, policy, nowMs: testNowMs };
  const verdict = await verifyEnclave({ ...question, attestation });
  const text = encodeVerificationDocument(makeVerificationDocument(question, [{ attestation, verdict }]));
  const files = { document: join(folder.path, 'document.json'), policy: join(folder.path, 'own-policy.json') };
  writeFileSync(files.policy, JSON.stringify(policy));
  expect(page).toContain('`--policy policy.json` takes another policy');
  const line = `${commandWith('npm run verify')} --policy policy.json`;
  const verify = (document: string) => {
    writeFileSync(files.document, document);
    return run(line, { ' document.json': ` ${files.document}`, ' policy.json': ` ${files.policy}` });
  };
  expect(verify(text)).toMatchObject({ status: 0, printed: expect.stringContaining('It holds.') });
  expect(verify(text.replace('"model":"default"', '"model":"defaulT"')).status).toBe(1);
});

test("audit/README.md: its command audits a registrar's log, and keeps the checkpoint", async () => {
  const registrar = await TestRegistrar.start();
  try {
    await registrar.register();
    const policy = join(folder.path, 'policy.json');
    writeFileSync(policy, JSON.stringify(modalPolicy(registrar.policySection)));
    const saved = join(folder.path, 'saved');
    const own = { 'policy.json': policy, 'https://registrar.example.com': registrar.url, 'saved-checkpoint': saved };
    expect(run(commandWith('registrar:audit'), own)).toMatchObject({ status: 0 });
    expect(readFileSync(saved, 'utf8')).toContain('registrar.test/log-1');
    const nobody = { ...own, 'https://registrar.example.com': 'http://127.0.0.1:9' };
    expect(run(commandWith('registrar:audit'), nobody).status).toBe(2);
  } finally {
    await registrar.stop();
  }
});

test('audit/README.md: each command that runs tests names tests that there are', () => {
  const lines = commands.filter((command) => command.startsWith('npx vitest run '));
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    for (const path of line.split(' ').slice(3)) expect([line, existsSync(path)]).toEqual([line, true]);
    const listed = run(line.replace('vitest run', 'vitest list --filesOnly'), {});
    expect(listed.status).toBe(0);
    expect(listed.printed).toMatch(/test\/\S+\.test\.ts/);
  }
});

test('audit/README.md: every other command is a script of package.json, or compares a page that was built', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const others = commands.filter((command) => !command.startsWith('npx vitest run '));
  const names = others.flatMap((command) => /npm run (\S+)/.exec(command)?.[1] ?? []);
  expect(names).toEqual(['verify', 'registrar:audit', 'build', 'build:worker']);
  for (const name of names) expect(scripts[name]).toMatch(/^node \S+\.ts$/);
  expect(others.filter((command) => !command.includes('npm run'))).toEqual([
    'curl -s https://the.relay/ | sha256sum',
    'sha256sum client/dist/index.html',
  ]);
});
