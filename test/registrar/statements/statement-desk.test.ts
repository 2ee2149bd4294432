import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { generateIdentityKeyPair, type IdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { type PossessionPurpose, signPossession } from '../../../crypto/evidence/modal/possession.ts';
import { parseRegistrarStatement } from '../../../crypto/evidence/modal/registrar-statement.ts';
import type { RegistrarAnswer } from '../../../crypto/protocol/messages/registrar-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { PublicLog } from '../../../registrar/public-log/public-log.ts';
import { Publisher } from '../../../registrar/public-log/publisher.ts';
import { generateRegistrarKeys } from '../../../registrar/registrar-keys.ts';
import { RegistrarError } from '../../../registrar/registrar-error.ts';
import { readSettings, type Settings } from '../../../registrar/settings.ts';
import { StatementDesk } from '../../../registrar/statements/statement-desk.ts';
import { RegistrarDatabase } from '../../../registrar/storage/registrar-database.ts';
import { modalIds, ModalIssuer } from '../../parts/evidence/modal/modal-identity.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { quietLog } from '../../parts/relay/in-process/quiet-log.ts';

/** The desk by itself, so that the time is the test's. */
async function makeDesk(commitUrl: string | null = null) {
  const issuer = await ModalIssuer.start();
  const folder = await makeTemporaryFolder('desk');
  const settings = readSettings({
    REGISTRAR_KEYS: generateRegistrarKeys(),
    REGISTRAR_LOG_ORIGIN: 'registrar.test/log-1',
    REGISTRAR_DATA_DIR: folder.path,
    REGISTRAR_TEST_ISSUER: issuer.url,
    MODAL_WORKSPACE_ID: modalIds.workspaceId,
    MODAL_ENVIRONMENT_ID: modalIds.environmentId,
    MODAL_APP_ID: modalIds.appId,
    MODAL_FUNCTION_ID: modalIds.functionId,
  });
  let opened = openDesk(settings, commitUrl);
  onTestFinished(async () => {
    opened.database.close();
    await issuer.stop();
    await folder.remove();
  });
  const reopen = () => {
    opened.database.close();
    opened = openDesk(settings, commitUrl);
  };
  return { issuer, reopen, file: join(folder.path, 'registrar.sqlite'), desk: () => opened.desk };
}

function openDesk(settings: Settings, commitUrl: string | null) {
  const { keys, logOrigin: origin } = settings;
  const database = RegistrarDatabase.open(settings.dataFolder, {
    origin,
    publicKey: keys.log.publicKey,
    statementPublicKey: keys.statement.publicKey,
  });
  const log = new PublicLog({ database, origin, key: keys.log });
  const publisher = new Publisher({ commitUrl, onFork: () => undefined, log: quietLog() });
  return { database, desk: new StatementDesk({ settings, database, log, publisher }) };
}

function prove(desk: StatementDesk, identity: IdentityKeyPair, purpose: PossessionPurpose, nowMs: number) {
  const { challenge } = desk.challenge(nowMs);
  const signature = signPossession({
    identitySecretKey: identity.secretKey,
    challenge: fromBase64Url(challenge),
    purpose,
  });
  const identityPublicKey = toBase64Url(identity.publicKey);
  return { format: 1 as const, identityPublicKey, challenge, signature: toBase64Url(signature) };
}

const statementOf = ({ evidence }: RegistrarAnswer) => parseRegistrarStatement(fromBase64Url(evidence.statement));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    if (error instanceof RegistrarError) return error.code;
    throw error;
  }
}

test('a clock that is put back: times in the log never fall, after a restart neither', async () => {
  const { issuer, reopen, desk } = await makeDesk();
  const nowMs = Date.now();
  const identity = generateIdentityKeyPair();
  const identityToken = issuer.makeToken();
  const proof = prove(desk(), identity, { kind: 'register', identityToken }, nowMs);
  expect(statementOf(await desk().register({ ...proof, identityToken }, nowMs)).issuedAtMs).toBe(nowMs);
  const earlierMs = nowMs - 20_000;
  const renewAt = (timeMs: number) => desk().renew(prove(desk(), identity, { kind: 'renew' }, timeMs), timeMs);
  expect(statementOf(await renewAt(earlierMs))).toMatchObject({ issuedAtMs: nowMs, notAfterMs: nowMs + 3_600_000 });
  reopen();
  expect(statementOf(await renewAt(earlierMs)).issuedAtMs).toBe(nowMs);
  expect(statementOf(await renewAt(nowMs + 5_000)).issuedAtMs).toBe(nowMs + 5_000);
});

test('a day later: statements end with the container, then there are none, then it is forgotten', async () => {
  const { issuer, desk } = await makeDesk();
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const endMs = nowMs + 86_400_000;
  const identity = generateIdentityKeyPair();
  const identityToken = issuer.makeToken({ claims: { iat: nowMs / 1000, exp: nowMs / 1000 + 172_800 } });
  const proof = prove(desk(), identity, { kind: 'register', identityToken }, nowMs);
  const { renewableUntilMs } = await desk().register({ ...proof, identityToken }, nowMs);
  expect(renewableUntilMs).toBe(endMs);
  const renewAt = (timeMs: number) => desk().renew(prove(desk(), identity, { kind: 'renew' }, timeMs), timeMs);
  expect(statementOf(await renewAt(endMs - 7_200_000)).notAfterMs).toBe(endMs - 3_600_000);
  expect(statementOf(await renewAt(endMs - 600_000)).notAfterMs).toBe(endMs);
  expect(await codeOf(renewAt(endMs))).toBe('registration-over');
  // The token is refused for its age, and remembered as used until it has expired.
  const again = (timeMs: number) =>
    codeOf(
      desk().register(
        { ...prove(desk(), generateIdentityKeyPair(), { kind: 'register', identityToken }, timeMs), identityToken },
        timeMs,
      ),
    );
  expect(await again(nowMs + 60_000)).toBe('token-used');
  expect(await again(nowMs + 7_200_000)).toBe('token-too-old');
  expect(await again(nowMs + 172_800_000 + 120_000)).toBe('token-too-old');
});

test('a challenge is over after two minutes', async () => {
  const { desk } = await makeDesk();
  const nowMs = Date.now();
  const identity = generateIdentityKeyPair();
  const proof = () => prove(desk(), identity, { kind: 'renew' }, nowMs);
  expect(await codeOf(desk().renew(proof(), nowMs + 120_000))).toBe('challenge-refused');
  expect(await codeOf(desk().renew(proof(), nowMs + 119_999))).toBe('not-registered');
});

test('the file of the log grows by what OPERATING.md says', async () => {
  const { issuer, reopen, file, desk } = await makeDesk();
  const startMs = Math.floor(Date.now() / 1000) * 1000;
  const identities = Array.from({ length: 10 }, generateIdentityKeyPair);
  for (const identity of identities) {
    const identityToken = issuer.makeToken();
    const proof = prove(desk(), identity, { kind: 'register', identityToken }, startMs);
    await desk().register({ ...proof, identityToken }, startMs);
  }
  // Closed once, the file has everything that was in its log.
  reopen();
  const before = statSync(file).size;
  const renewals = 46;
  for (let count = 1; count <= renewals; count++) {
    const nowMs = startMs + count * 1_800_000;
    for (const identity of identities) await desk().renew(prove(desk(), identity, { kind: 'renew' }, nowMs), nowMs);
  }
  reopen();
  const growth = (statSync(file).size - before) / (renewals * identities.length);
  const [, stated] =
    /grows by some (\d+) bytes a statement/.exec(readFileSync(resolve('registrar/OPERATING.md'), 'utf8')) ?? [];
  expect(Math.abs(growth / Number(stated) - 1)).toBeLessThan(0.1);
});

test('a keeper that hangs: 64 callers wait for their statement in order, and the next is told to come again', async () => {
  const isOpen = Promise.withResolvers<void>();
  let isHanging = false;
  const keeper = createServer((_request, response) => {
    void (isHanging ? isOpen.promise : Promise.resolve()).then(() => response.writeHead(204).end());
  });
  await new Promise<void>((done) => keeper.listen(0, '127.0.0.1', done));
  onTestFinished(() => void keeper.close());
  const { issuer, desk } = await makeDesk(`http://127.0.0.1:${(keeper.address() as AddressInfo).port}`);
  const nowMs = Date.now();
  const identities = Array.from({ length: 11 }, generateIdentityKeyPair);
  for (const identity of identities) {
    const identityToken = issuer.makeToken();
    const proof = prove(desk(), identity, { kind: 'register', identityToken }, nowMs);
    await desk().register({ ...proof, identityToken }, nowMs);
  }
  isHanging = true;
  // Six in a minute for each.
  const renewals = Array.from({ length: 66 }, (_, index) =>
    desk().renew(prove(desk(), identities[index % 11]!, { kind: 'renew' }, nowMs), nowMs),
  );
  expect(await Promise.all(renewals.slice(64).map(codeOf))).toEqual(['log-unavailable', 'log-unavailable']);
  isOpen.resolve();
  const entries = (await Promise.all(renewals.slice(0, 64))).map(({ evidence }) => evidence.leafIndex);
  expect(entries).toEqual(Array.from({ length: 64 }, (_, index) => 11 + index));
});
