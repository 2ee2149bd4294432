import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ModalFaults } from '../../../../parts/evidence/modal/modal-machine.ts';
import {
  askModal,
  change,
  flip,
  machine,
  neighbour,
  refuses,
} from '../../../../parts/evidence/modal/modal-question.ts';
import { makePaperKey, noteKeyId, noteLine } from '../../../../parts/evidence/modal/paper-log.ts';

/** Faults of checkpoint and proof, one each, beside evidence of the same log that is accepted (SPEC.md §9.6). */
const witness = makePaperKey();

/** Changes the checkpoint as it stands, and nothing of what is signed. */
const note = (edit: (checkpoint: string) => string): ModalFaults => ({ afterwards: change('checkpoint', edit) });
const proof = (edit: (siblings: readonly string[]) => readonly string[]): ModalFaults => ({
  afterwards: ({ inclusionProof }) => ({ inclusionProof: edit(inclusionProof) }),
});

describe('accepts', () => {
  test.each<[name: string, faults: ModalFaults]>([
    ['the only entry of a log', { logSize: 1, place: 0 }],
    ['the last entry', { logSize: 12, place: 11 }],
    ['the first entry of a whole tree', { logSize: 8, place: 0 }],
    ['the last entry behind a whole tree', { logSize: 9, place: 8 }],
    [
      "a witness's signature before the log's",
      note((text) =>
        text.replace(
          '\n\n',
          `\n\n${noteLine('witness.example', noteKeyId('witness.example', witness.publicKey), new Uint8Array(72))}`,
        ),
      ),
    ],
    [
      '15 signatures of others',
      note((text) => text + noteLine('witness.example', new Uint8Array(4), new Uint8Array(64)).repeat(15)),
    ],
    [
      "another's signature under the log's name",
      note((text) => text + noteLine(machine.logOrigin, Buffer.from('else'), new Uint8Array(64))),
    ],
  ])('%s', async (_name, faults) => {
    expect(await askModal(faults)).toBe('accepted');
  });
});

describe('the checkpoint', () => {
  const origin = machine.logOrigin;
  refuses([
    ['one that another log signed', 'log', { logSigner: neighbour.logKey }],
    ["one that the registrar's statement key signed", 'log', { logSigner: machine.statementKey }],
    ['one of a log of another name', 'log', { origin: 'registrar.example/log-2' }],
    ['a policy with another name', 'log', {}, { section: { logOrigin: 'registrar.example/log-2' } }],
    ['a policy with another log key', 'log', {}, { section: { logPublicKey: neighbour.policy.logPublicKey } }],
    ['another size', 'log', note((text) => text.replace('\n12\n', '\n13\n'))],
    [
      'another root',
      'log',
      note((text) => text.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(32).toString('base64')}\n`)),
    ],
    [
      'a changed signature',
      'log',
      note((text) =>
        text.replace(
          /(\u2014 \S+ .{20})(.)/,
          (_, before: string, digit: string) => before + (digit === 'A' ? 'B' : 'A'),
        ),
      ),
    ],
    ["a key id that is not the log key's", 'log', note((text) => resign(text, Buffer.from('else')))],
    [
      "the log's signature under a witness's name",
      'log',
      note((text) => text.replace(`\u2014 ${origin}`, '\u2014 witness.example')),
    ],
    [
      'a second signature of the log that does not verify',
      'log',
      note((text) => text + noteLine(origin, noteKeyId(origin, machine.logKey.publicKey), new Uint8Array(64))),
    ],
    [
      'a signature over a text without its last newline',
      'log',
      note((text) => resign(text, undefined, (signed) => signed.slice(0, -1))),
    ],
    ['an extension line that was signed', 'malformed', { checkpointText: (text) => `${text}extension\n` }],
    ['a size with a zero before it', 'malformed', { checkpointText: (text) => text.replace('\n12\n', '\n012\n') }],
    ['a size with a sign', 'malformed', { checkpointText: (text) => text.replace('\n12\n', '\n+12\n') }],
    ['a size in hex', 'malformed', { checkpointText: (text) => text.replace('\n12\n', '\n0xc\n') }],
    ['a size beyond 2^53', 'malformed', { checkpointText: (text) => text.replace('\n12\n', '\n9007199254740993\n') }],
    ['an empty size', 'malformed', { checkpointText: (text) => text.replace('\n12\n', '\n\n') }],
    [
      'a root of 31 bytes',
      'malformed',
      { checkpointText: (text) => text.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(31).toString('base64')}\n`) },
    ],
    ['a root without its padding', 'malformed', { checkpointText: (text) => text.replace('=\n', '\n') }],
    [
      'a root in base64url',
      'malformed',
      { checkpointText: (text) => text.replace(/\n[^\n]{44}\n/, `\n${'_'.repeat(42)}8=\n`) },
    ],
    [
      'a root with left-over bits',
      'malformed',
      { checkpointText: (text) => text.replace(/\n[^\n]{44}\n/, `\n${'A'.repeat(42)}B=\n`) },
    ],
    ['carriage returns', 'malformed', { checkpointText: (text) => text.replaceAll('\n', '\r\n') }],
    ['an origin with a plus', 'malformed', { origin: 'registrar+example' }],
    ['an origin with a blank', 'malformed', { origin: 'registrar example' }],
    ['no origin', 'malformed', { checkpointText: (text) => text.replace(/^[^\n]*/, '') }],
    ['no signature', 'malformed', note((text) => `${text.split('\n\n')[0]}\n\n`)],
    ['no empty line', 'malformed', note((text) => text.replace('\n\n', '\n'))],
    ['an empty line too many', 'malformed', note((text) => text.replace('\n\n', '\n\n\n'))],
    ['no newline at its end', 'malformed', note((text) => text.slice(0, -1))],
    ['something behind its end', 'malformed', note((text) => `${text}more\n`)],
    ['a hyphen for the dash', 'malformed', note((text) => text.replace('\u2014', '-'))],
    ['two blanks', 'malformed', note((text) => text.replace('\u2014 ', '\u2014  '))],
    [
      'a signature of four bytes',
      'malformed',
      note((text) => text + noteLine('witness.example', new Uint8Array(4), new Uint8Array(0))),
    ],
    [
      '17 signatures',
      'malformed',
      note((text) => text + noteLine('w.example', new Uint8Array(4), new Uint8Array(8)).repeat(16)),
    ],
    [
      'more than 2,048 characters',
      'schema',
      note((text) => text + noteLine('witness.example', new Uint8Array(4), new Uint8Array(1500))),
    ],
    ['an empty one', 'schema', { afterwards: () => ({ checkpoint: '' }) }],
  ]);
});

describe('the proof', () => {
  const nothing = Buffer.alloc(32).toString('base64url');
  refuses([
    ['another place', 'log', { afterwards: () => ({ leafIndex: 7 }) }],
    ['the place of the size', 'log', { afterwards: () => ({ leafIndex: 12 }) }],
    ['a place far outside', 'log', { afterwards: () => ({ leafIndex: Number.MAX_SAFE_INTEGER }) }],
    ['a place below nothing', 'schema', { afterwards: () => ({ leafIndex: -1 }) }],
    ['a place with a fraction', 'schema', { afterwards: () => ({ leafIndex: 6.5 }) }],
    ['a hash too few', 'log', proof((siblings) => siblings.slice(1))],
    ['its last hash missing', 'log', proof((siblings) => siblings.slice(0, -1))],
    ['a hash too many', 'log', proof((siblings) => [...siblings, nothing])],
    ['no hash', 'log', proof(() => [])],
    ['two hashes changed about', 'log', proof(([first, second, ...rest]) => [second!, first!, ...rest])],
    ['a changed hash', 'log', proof(([first, ...rest]) => [flip(first!, 3), ...rest])],
    ['a hash that is cut', 'schema', proof(([first, ...rest]) => [first!.slice(0, -4), ...rest])],
    ['64 hashes', 'schema', proof(() => Array.from({ length: 64 }, () => nothing))],
    ['63 hashes', 'log', proof(() => Array.from({ length: 63 }, () => nothing))],
    ['an entry without its signature', 'log', { entry: (statement) => statement }],
    ['an entry in another order', 'log', { entry: (statement, signature) => Buffer.concat([statement, signature]) }],
    ['an entry of another signature', 'log', { entry: (statement) => Buffer.concat([Buffer.alloc(64), statement]) }],
    [
      'an inner node in place of an entry',
      'log',
      { logSize: 2, place: 0, afterwards: () => ({ inclusionProof: [], leafIndex: 0 }) },
    ],
    ['a member too many', 'schema', { afterwards: () => ({ extra: 1 }) }],
  ]);
});

/** The same text, signed by the log's key again: with another key id, or over something else. */
function resign(text: string, keyId?: Uint8Array, edit: (signed: string) => string = String): string {
  const signed = `${text.split('\n\n')[0]}\n`;
  const signature = sign(null, Buffer.from(edit(signed)), machine.logKey.privateKey);
  return `${signed}\n${noteLine(machine.logOrigin, keyId ?? noteKeyId(machine.logOrigin, machine.logKey.publicKey), signature)}`;
}
