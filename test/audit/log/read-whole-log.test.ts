import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { auditLog, type AuditResult } from '../../../audit/log/read-whole-log.ts';
import { DishonestLog, LogReader, UnreadableLog } from '../../../audit/log/log-reader.ts';
import { generateRegistrarKeys } from '../../../registrar/registrar-keys.ts';
import { type OddEntry, ServedTestLog } from '../../parts/evidence/modal/served-log.ts';

const { startMs } = ServedTestLog;
let log: ServedTestLog;
beforeAll(async () => {
  log = await ServedTestLog.start();
  log.fill(260);
});
afterEach(() => {
  log.change = (_path, body) => body;
});
afterAll(() => log.stop());

/** Gives what is wrong with it, or what it is. */
async function audit(served: ServedTestLog = log, saved: string | null = null): Promise<string | AuditResult> {
  try {
    const reader = new LogReader(served.url);
    return await auditLog({ reader, policy: served.policySection, saved, nowMs: Date.now() });
  } catch (error) {
    if (error instanceof DishonestLog) return error.message;
    throw error;
  }
}

async function startLog(keys?: string): Promise<ServedTestLog> {
  const served = await ServedTestLog.start(keys);
  onTestFinished(() => served.stop());
  return served;
}

const noteOf = (served: ServedTestLog) => served.answer('/checkpoint')!.toString('utf8');
const flipAt = (place: number) => (body: Buffer) => {
  const changed = Buffer.from(body);
  changed[place]! ^= 1;
  return changed;
};

describe('auditLog', () => {
  test('a log in order, from nothing, from its beginning and from now', async () => {
    const right = { checkpoint: noteOf(log), size: 260, identities: 1, foreign: 0 };
    expect(await audit()).toEqual(right);
    expect(await audit(log, noteOf(log))).toEqual(right);
    const young = await startLog();
    expect(await audit(young)).toMatchObject({ size: 0 });
    for (const count of [1, 2, 5, 248, 1, 300]) {
      const before = noteOf(young);
      young.fill(count);
      expect(await audit(young, before)).toMatchObject({ checkpoint: noteOf(young) });
    }
  });

  test.each<[name: string, path: RegExp, change: (body: Buffer) => Buffer, said: string]>([
    ['a changed entry', /entries\/000$/, flipAt(100), 'A tile does not fit its entries.'],
    ['a changed entry of the last bundle', /entries\/001\.p/, flipAt(100), 'A tile does not fit its entries.'],
    ['a changed leaf hash', /^\/tile\/0\/000$/, flipAt(0), 'A tile does not fit its entries.'],
    ['a changed upper hash', /^\/tile\/1\/000\.p\/1$/, flipAt(31), 'An upper tile does not fit the tiles below it.'],
    ['a cut bundle', /entries\/000$/, (body) => body.subarray(0, -1), 'A bundle of entries is cut off.'],
    [
      'an entry too few',
      /entries\/000$/,
      (body) => body.subarray(2 + body.readUInt16BE(0)),
      'A bundle holds another number of entries than its path says.',
    ],
    [
      'an entry too many',
      /entries\/000$/,
      (body) => Buffer.concat([body, Buffer.of(0, 1, 7)]),
      'A bundle holds another number of entries than its path says.',
    ],
    [
      'a byte behind a bundle',
      /entries\/000$/,
      (body) => Buffer.concat([body, Buffer.of(0)]),
      'A bundle of entries is cut off.',
    ],
    ['a short tile', /^\/tile\/0\/000$/, (body) => body.subarray(32), 'A tile has another length than its path says.'],
    [
      'a long tile',
      /^\/tile\/0\/000$/,
      (body) => Buffer.concat([body, body]),
      'The log answers with more than a tile can hold.',
    ],
    [
      'another size',
      /checkpoint/,
      (body) => Buffer.from(body.toString().replace('\n260\n', '\n259\n')),
      'The checkpoint is not signed by the log of the policy.',
    ],
    [
      'a checkpoint without a signature',
      /checkpoint/,
      (body) => Buffer.from(`${body.toString().split('\n\n')[0]}\n`),
      'The checkpoint is not readable.',
    ],
    ['a checkpoint that is no text', /checkpoint/, () => Buffer.of(0xff, 0x0a), 'The checkpoint is not text.'],
  ])('finds %s', async (_name, path, change, said) => {
    log.change = (asked, body) => (path.test(asked) ? change(body) : body);
    expect(await audit()).toBe(said);
    log.change = (_path, body) => body;
    expect(await audit()).toMatchObject({ size: 260 });
  });

  test('finds a signed root that the entries do not give', async () => {
    log.change = (path, body) => (path === '/checkpoint' ? Buffer.from(log.lie(260, randomBytes(32))) : body);
    expect(await audit()).toBe('The entries do not give the root that is signed.');
    log.change = (_path, body) => body;
    expect(await audit()).toMatchObject({ size: 260 });
  });

  test('finds a log of another name under the same key', async () => {
    const policy = { ...log.policySection, logOrigin: 'registrar.test/log-2' };
    const asked = { reader: new LogReader(log.url), saved: null, nowMs: Date.now() };
    await expect(auditLog({ ...asked, policy })).rejects.toThrow('is not signed by the log of the policy');
    expect(await auditLog({ ...asked, policy: log.policySection })).toMatchObject({ size: 260 });
  });

  test('finds a log that was cut short, and one that was written anew under the same keys', async () => {
    const keys = generateRegistrarKeys();
    const [first, second] = [await startLog(keys), await startLog(keys)];
    first.fill(20);
    const saved = noteOf(first);
    second.fill(5);
    expect(await audit(second, saved)).toBe('The log is shorter than it was.');
    for (const count of [15, 10]) {
      second.fill(count);
      expect(await audit(second, saved)).toBe(
        'The log was rewritten: its beginning is not the log of the saved checkpoint.',
      );
    }
    // By itself it looks honest: only the comparison shows it.
    expect(await audit(second)).toMatchObject({ size: 30 });
    first.fill(10);
    expect(await audit(first, saved)).toMatchObject({ size: 30 });
  });

  test('refuses a saved checkpoint of another log', async () => {
    const other = await startLog();
    other.fill(1);
    expect(await audit(log, noteOf(other))).toBe('The saved checkpoint is not signed by the log of the policy.');
  });

  test.each<[name: string, odd: Omit<OddEntry, 'place'>, said: string]>([
    ['an entry of nobody', { entry: new Uint8Array(randomBytes(300)) }, 'is not a statement that the registrar signed'],
    ['an entry of nothing', { entry: new Uint8Array(0) }, 'is not a statement that the registrar signed'],
    [
      'a life of more than an hour',
      { statement: { notAfterMs: startMs + 9_000_000 } },
      'holds for longer than an hour',
    ],
    ['an end before its beginning', { statement: { notAfterMs: startMs - 1 } }, 'holds for longer than an hour'],
    [
      'a time that falls',
      { statement: { issuedAtMs: startMs - 5, notAfterMs: startMs } },
      'is older than the entry before it',
    ],
    [
      'a time of the future',
      { statement: { issuedAtMs: startMs + 3_900_000, notAfterMs: startMs + 4_000_000 } },
      'is of the future',
    ],
    [
      'one key in two containers',
      { statement: { containerId: 'ta-2' } },
      'puts an identity key into a second container',
    ],
    [
      'two keys in one container',
      { statement: { identityPublicKey: toBase64Url(randomBytes(32)) } },
      'states a second identity key of a container',
    ],
  ])('finds %s', async (_name, odd, said) => {
    const served = await startLog();
    served.fill(4, { place: 2, ...odd });
    expect(await audit(served)).toBe(`Entry 2 ${said}.`);
  });

  test('counts statements about other deployments', async () => {
    const served = await startLog();
    const statement = { identityPublicKey: toBase64Url(randomBytes(32)), functionId: 'fu-other' };
    served.fill(4, { place: 2, statement });
    expect(await audit(served)).toMatchObject({ size: 4, identities: 2, foreign: 1 });
  });

  test('a log that cannot be read is not a dishonest one', async () => {
    const policy = log.policySection;
    const read = (url: string) => auditLog({ reader: new LogReader(url), policy, saved: null, nowMs: Date.now() });
    await expect(read('http://127.0.0.1:9')).rejects.toThrow(UnreadableLog);
    await expect(read(`${log.url}/elsewhere`)).rejects.toThrow(UnreadableLog);
    expect(await read(`${log.url}/`)).toMatchObject({ size: 260 });
  });
});
