import { describe, expect, test } from 'vitest';
import { EvidenceRefused } from '../../../../crypto/evidence/policy/evidence-step.ts';
import { readDevices } from '../../../../crypto/evidence/nvidia-gpu/device/gpu-device.ts';
import { verifyRevocation } from '../../../../crypto/evidence/nvidia-gpu/verify-revocation.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import {
  algorithmIdentifier,
  extension,
  leafExtensions,
  makeKeys,
  testNowMs,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  bitString,
  boolean,
  context,
  integer,
  octetString,
  oid,
  sequence,
  time,
} from '../../../parts/evidence/vendors/der-writer.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';
import {
  type AnswerRequest,
  generalizedTime,
  issuedOf,
  makeRevocationAnswer,
  nonceExtension,
  responderExtensions,
} from '../../../parts/evidence/vendors/revocation-answers.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

const machine = makeNvidiaMachine({ gpus: 2 });
const expected = randomBytes(32);
const { evidence, collateral } = machine.makeEvidence({ expected });
const [chip, provisioner, architecture] = issuedOf(machine, evidence);
const [otherChip] = issuedOf(machine, evidence, 1);
const all = [chip!, otherChip!, provisioner!, architecture!];
const good = all.map((issued) => makeRevocationAnswer(issued));
const [, ...goodOfOthers] = good;
const stranger = makeKeys('p384');
const devices = readDevices(evidence.devices);
const hourMs = 3_600_000;

/** Gives what the step says, or the code of the refusal; with answers required unless told. */
async function outcome(answers: readonly Uint8Array[] | null, requireGpuRevocation = true): Promise<string> {
  try {
    const { result } = await verifyRevocation({
      devices,
      collateral: { ...collateral, ...(answers !== null && { revocationAnswers: answers.map(toBase64Url) }) },
      policy: { ...machine.policy, requireGpuRevocation },
      nowMs: testNowMs,
    });
    return result;
  } catch (error) {
    // Nothing but a refusal may come out.
    if (!(error instanceof EvidenceRefused)) throw error;
    return error.code;
  }
}
/** With one answer about the chip as told, and good ones about the rest. */
const withChip = (request: AnswerRequest) => [makeRevocationAnswer(chip!, request), ...goodOfOthers];

describe('NVIDIA’s answer about revoked certificates', () => {
  test('is good for every certificate but root and firmware, of every GPU', async () => {
    expect(await outcome(good)).toBe('enforced');
    expect(await outcome(good.toReversed())).toBe('enforced');
    for (const [index] of all.entries()) {
      const without = good.filter((_, place) => place !== index);
      expect(await outcome(without)).toBe('collateral-missing');
      expect(await outcome(without, false)).toBe('not-offered');
    }
  });

  test('may be missing only where the policy says so', async () => {
    for (const none of [null, []]) {
      expect(await outcome(none)).toBe('collateral-missing');
      expect(await outcome(none, false)).toBe('not-offered');
    }
  });

  const accepted: [name: string, request: AnswerRequest][] = [
    ['signed by the issuer itself', { delegate: null }],
    ['signed by the issuer itself, named by its name', { delegate: null, by: 'name' }],
    ['of a responder named by its name', { by: 'name' }],
    ['that names the issuer by SHA-1', { hash: 'sha1' }],
    ['that names the issuer by SHA-256', { hash: 'sha256' }],
    ['whose hash has no parameters', { fault: { hashIdentifier: sequence(oid('2.16.840.1.101.3.4.2.2')) } }],
    ['with a nonce', { extensions: [nonceExtension()] }],
    ['with a nonce that has to be understood', { extensions: [nonceExtension(true)] }],
    ['with a further extension', { extensions: [extension('1.3.6.1.5.5.7.48.1.9', false, Uint8Array.of(5, 0))] }],
    ['at its last moment', { thisUpdate: testNowMs - 24 * hourMs }],
    ['that is younger than a slow clock', { thisUpdate: testNowMs + 23 * hourMs }],
    ['with further certificates', { certificates: (own) => [chip!.issuer, ...own] }],
    ['that speaks of other certificates too', { fault: { content: (parts) => withAnotherStatus(parts) } }],
    [
      'of a responder without the mark that it need not be looked at',
      { delegate: { extensions: responderExtensions().slice(0, 3) } },
    ],
    ['of a responder with a key of P-256', { delegate: { keys: makeKeys('p256') } }],
  ];
  test.each(accepted)('counts %s', async (_name, request) => {
    expect(await outcome(withChip(request))).toBe('enforced');
  });

  const revoked: [name: string, request: AnswerRequest][] = [
    ['revoked without a reason', { status: { reason: null } }],
    ['revoked as compromised', { status: { reason: 1 } }],
    ['on hold', { status: { reason: 6 } }],
    ['revoked, out of date', { status: { reason: 6 }, thisUpdate: testNowMs - 300 * hourMs }],
    ['revoked, signed by the issuer', { status: { reason: 1 }, delegate: null }],
  ];
  test.each(revoked)('refuses a certificate that is %s, whatever the policy says', async (_name, request) => {
    expect(await outcome(withChip(request))).toBe('revoked');
    expect(await outcome(withChip(request), false)).toBe('revoked');
    // A good one beside it does not outweigh it, in either order.
    expect(await outcome([...good, ...withChip(request)], false)).toBe('revoked');
    expect(await outcome([...withChip(request), ...good], false)).toBe('revoked');
    expect(await outcome(good)).toBe('enforced');
  });

  test.each([0, 1, 2, 3])('refuses where certificate %i of the GPUs is revoked', async (index) => {
    const answers = all.map((issued, place) =>
      place === index ? makeRevocationAnswer(issued, { status: { reason: 1 } }) : good[place]!,
    );
    expect(await outcome(answers, false)).toBe('revoked');
  });

  const weak: [name: string, code: string, request: AnswerRequest][] = [
    ['that is out of date', 'outdated-collateral', { thisUpdate: testNowMs - 24 * hourMs - 1000 }],
    ['of the day after tomorrow', 'outdated-collateral', { thisUpdate: testNowMs + 25 * hourMs }],
    ['without an end', 'outdated-collateral', { nextUpdate: null }],
    [
      'that holds for a year, of a month ago',
      'outdated-collateral',
      { thisUpdate: testNowMs - 30 * 24 * hourMs, nextUpdate: testNowMs + 300 * 24 * hourMs },
    ],
    ['of a responder whose certificate is over', 'outdated-collateral', { delegate: { notAfter: testNowMs - 1000 } }],
    ['of a responder of tomorrow', 'outdated-collateral', { delegate: { notBefore: testNowMs + 1000 } }],
    ['that does not know the certificate', 'collateral-missing', { status: 'unknown' }],
    ['about another certificate', 'collateral-missing', { serialNumber: Uint8Array.of(9, 9) }],
    [
      'about a certificate of another issuer',
      'collateral-missing',
      { fault: { id: (parts) => parts.with(1, octetString(new Uint8Array(48))) } },
    ],
    [
      'about a certificate of another key',
      'collateral-missing',
      { fault: { id: (parts) => parts.with(2, octetString(new Uint8Array(48))) } },
    ],
  ];
  test.each(weak)('does not count an answer %s', async (_name, code, request) => {
    expect(await outcome(withChip(request))).toBe(code);
    expect(await outcome(withChip(request), false)).toBe('not-offered');
    expect(await outcome(good)).toBe('enforced');
  });

  test('a fresh answer counts beside one that is out of date', async () => {
    expect(await outcome([...withChip({ thisUpdate: testNowMs - 48 * hourMs }), good[0]!])).toBe('enforced');
    expect(await outcome([...withChip({ status: 'unknown' }), good[0]!])).toBe('collateral-missing');
  });

  const forged: [name: string, code: string, request: AnswerRequest][] = [
    ['signed by somebody else', 'signature', { signer: stranger }],
    ['signed by somebody else in the name of the issuer', 'signature', { delegate: null, signer: stranger }],
    ['whose responder the issuer did not certify', 'chain', { delegate: { signer: stranger } }],
    ['whose responder another issuer certified', 'chain', { delegate: { signer: provisioner!.issuerKeys } }],
    ['whose responder names another issuer', 'chain', { delegate: { issuer: 'Somebody' } }],
    ['whose responder was certified for nothing', 'chain', { delegate: { extensions: leafExtensions() } }],
    [
      'whose responder was certified for servers',
      'chain',
      { delegate: { extensions: responderExtensions('1.3.6.1.5.5.7.3.1') } },
    ],
    ['whose responder may issue certificates', 'chain', { delegate: { extensions: authorityExtensions() } }],
    ['whose responder may not sign', 'chain', { delegate: { extensions: noSignatureExtensions() } }],
    [
      'whose responder has an extension that nobody understands',
      'chain',
      { delegate: { extensions: oddExtensions() } },
    ],
    ['without the certificate of its responder', 'chain', { certificates: () => [] }],
    ['with the certificate of another alone', 'chain', { certificates: () => [chip!.issuer] }],
    ['with another algorithm than the key has', 'signature', { fault: { algorithm: algorithmIdentifier('p256') } }],
    [
      'with a changed signature',
      'signature',
      { fault: { signature: (bytes) => bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) } },
    ],
    ['that speaks twice of the certificate', 'malformed', { fault: { content: (parts) => withStatusTwice(parts) } }],
  ];
  test.each(forged)('refuses an answer %s: %s', async (_name, code, request) => {
    expect(await outcome(withChip(request))).toBe(code);
    expect(await outcome(withChip(request), false)).toBe(code);
    expect(await outcome(good, false)).toBe('enforced');
  });

  const critical = sequence(extension('1.2.3', true, Uint8Array.of(5, 0)));
  const unreadable: [name: string, request: AnswerRequest][] = [
    ['that says why there is none', { fault: { outcome: 6 } }],
    ['of another type', { fault: { type: '1.3.6.1.5.5.7.48.1.3' } }],
    ['with a version', { fault: { content: (parts) => [context(0, integer(0)), ...parts] } }],
    ['without a signer', { fault: { content: (parts) => parts.slice(1) } }],
    ['whose signer is a name without a tag', { fault: { content: (parts) => parts.with(0, sequence()) } }],
    [
      'whose signer is a short hash',
      { fault: { content: (parts) => parts.with(0, context(2, octetString(new Uint8Array(19)))) } },
    ],
    ['without a time', { fault: { content: (parts) => parts.toSpliced(1, 1) } }],
    ['with a time of two digits', { fault: { content: (parts) => parts.with(1, time(testNowMs)) } }],
    ['about nothing', { fault: { content: (parts) => parts.with(2, sequence()) } }],
    ['with a critical extension', { fault: { content: (parts) => [...parts, context(1, critical)] } }],
    [
      'with more behind its extensions',
      { extensions: [nonceExtension()], fault: { content: (parts) => [...parts, boolean(true)] } },
    ],
    ['with a critical extension of one status', { fault: { status: (parts) => [...parts, context(1, critical)] } }],
    ['without a status', { fault: { status: (parts) => parts.toSpliced(1, 1) } }],
    ['with a status of its own', { fault: { status: (parts) => parts.with(1, Uint8Array.of(0x83, 0)) } }],
    ['with a good status that says more', { fault: { status: (parts) => parts.with(1, Uint8Array.of(0x80, 1, 0)) } }],
    ['with a revocation without a date', { fault: { status: (parts) => parts.with(1, context(1)) } }],
    [
      'with a revocation of two reasons',
      { fault: { status: (parts) => parts.with(1, context(1, generalizedTime(testNowMs), sequence(), sequence())) } },
    ],
    ['without a date', { fault: { status: (parts) => parts.toSpliced(2, 1) } }],
    ['with an end without its tag', { fault: { status: (parts) => parts.with(3, generalizedTime(testNowMs)) } }],
    ['with a third date', { fault: { status: (parts) => [...parts, context(0, generalizedTime(testNowMs))] } }],
    ['that names the issuer by SHA-512', { hash: 'sha512' }],
    ['whose hashes are too short', { fault: { id: (parts) => parts.with(1, octetString(new Uint8Array(47))) } }],
    ['without a serial number', { fault: { id: (parts) => parts.slice(0, 3) } }],
    ['with a negative serial number', { fault: { id: (parts) => parts.with(3, Uint8Array.of(2, 1, 0x80)) } }],
    ['without a signature', { fault: { basic: (parts) => parts.toSpliced(2, 1) } }],
    ['with a signature of odd bits', { fault: { basic: (parts) => parts.with(2, bitString(new Uint8Array(96), 1)) } }],
    ['with an empty list of certificates', { fault: { basic: (parts) => parts.with(3, context(0, sequence())) } }],
    ['with five certificates', { certificates: (own) => [own[0]!, own[0]!, own[0]!, own[0]!, own[0]!] }],
    ['with a certificate that is none', { certificates: (own) => [...own, sequence()] }],
    ['with more behind its certificates', { fault: { basic: (parts) => [...parts, integer(1)] } }],
    ['with a byte behind it', { fault: { whole: (bytes) => Uint8Array.from([...bytes, 0]) } }],
    ['that is cut', { fault: { whole: (bytes) => bytes.slice(0, -1) } }],
    ['of one byte', { fault: { whole: () => Uint8Array.of(0x30) } }],
    ['that is too long', { extensions: [nonceExtension(), extension('1.2.3', false, new Uint8Array(8192))] }],
  ];
  test.each(unreadable)('refuses an answer %s as unreadable', async (_name, request) => {
    expect(await outcome(withChip(request), false)).toBe('malformed');
    expect(await outcome(withChip(request))).toBe('malformed');
    expect(await outcome(good, false)).toBe('enforced');
  });

  test('is refused with every bit changed that counts, and never as anything but a refusal', async () => {
    const [own] = good;
    const outcomes = new Set<string>();
    for (let at = 0; at < own!.length; at += 3) {
      const flipped = own!.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
      outcomes.add(await outcome([flipped, ...goodOfOthers]));
    }
    expect([...outcomes].toSorted()).toEqual(['chain', 'collateral-missing', 'malformed', 'signature']);
    const numbers = seededNumbers(20_261_130);
    for (let count = 0; count < 400; count++) {
      const changed = mutate(own!, numbers);
      const isSame = Buffer.compare(changed, own!) === 0;
      expect((await outcome([changed, ...goodOfOthers])) === 'enforced').toBe(isSame);
    }
  });
});

function withAnotherStatus(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const [signer, at, statuses, ...rest] = parts;
  const own = statuses!.slice(statuses![1]! === 0x81 ? 3 : 2);
  const other = Uint8Array.from(own);
  // The last byte of the serial number: what follows are a status of two bytes and two dates of 17 and 19.
  const place = other.length - 39;
  other[place] = other[place]! ^ 1;
  return [signer!, at!, sequence(other, own), ...rest];
}

function withStatusTwice(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const [signer, at, statuses, ...rest] = parts;
  const own = statuses!.slice(statuses![1]! === 0x81 ? 3 : 2);
  return [signer!, at!, sequence(own, own), ...rest];
}

function authorityExtensions() {
  return [extension('2.5.29.19', true, sequence(boolean(true))), ...responderExtensions().slice(1)];
}

function noSignatureExtensions() {
  const [constraints, , ...rest] = responderExtensions();
  return [constraints!, extension('2.5.29.15', true, bitString(Uint8Array.of(0b0000_0100), 2)), ...rest];
}

function oddExtensions() {
  return [...responderExtensions(), extension('1.2.3', true, Uint8Array.of(5, 0))];
}
