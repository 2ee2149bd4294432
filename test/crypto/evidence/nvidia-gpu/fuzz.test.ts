import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EvidenceRefused } from '../../../../crypto/evidence/policy/evidence-step.ts';
import { parseGpuReport } from '../../../../crypto/evidence/nvidia-gpu/device/gpu-report.ts';
import { readToolOutput } from '../../../../crypto/evidence/nvidia-gpu/device/read-tool-output.ts';
import { parseReferenceManifest } from '../../../../crypto/evidence/nvidia-gpu/manifest/reference-manifest.ts';
import { verifyNvidiaGpu } from '../../../../crypto/evidence/nvidia-gpu/verify-nvidia-gpu.ts';
import { canonicalizeXml } from '../../../../crypto/evidence/nvidia-gpu/manifest/canonical-xml.ts';
import { parseXml } from '../../../../crypto/evidence/nvidia-gpu/manifest/xml-reader.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';

const seed = 20_261_122;
const expected = new Uint8Array(32).fill(9);
const machine = makeNvidiaMachine();
const { evidence, collateral } = machine.makeEvidence({ expected });
const [device] = evidence.devices;
const report = fromBase64Url(device!.report);
const [driver, vbios] = collateral.referenceManifests;

/** Up to four places at which bytes are changed, put in or taken out. */
const edits = fc.array(
  fc.record({
    place: fc.nat(200_000),
    kind: fc.constantFrom('flip', 'set', 'insert', 'remove', 'cut'),
    value: fc.nat(255),
    count: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 4 },
);
type Edit = { place: number; kind: string; value: number; count: number };

function applyEdits(bytes: Uint8Array, changes: readonly Edit[]): Bytes {
  let edited = [...bytes];
  for (const { place, kind, value, count } of changes) {
    const at = edited.length === 0 ? 0 : place % edited.length;
    if (kind === 'flip') edited[at] = (edited[at] ?? 0) ^ (1 << (value % 8));
    else if (kind === 'set') edited[at] = value;
    else if (kind === 'insert') edited.splice(at, 0, ...Array.from({ length: count }, () => value));
    else if (kind === 'remove') edited.splice(at, count);
    else edited = edited.slice(0, at);
  }
  return Uint8Array.from(edited);
}

/** Pieces that mean something to an XML reader, so that chance finds its corners. */
const xmlPieces =
  '<a>|</a>|<a/>|<p:b xmlns:p="urn:p">|</p:b>| xmlns=""| c="d"|&lt;|&#0;|&|<!--|-->|<![CDATA[|]]>|<?x?>|<!DOCTYPE a>|"|=| |\n|text|<ds:Signature>|>'.split(
    '|',
  );
const xmlPiece = fc.constantFrom(...xmlPieces);

async function isRefused(changed: { report?: Uint8Array; manifests?: string[] }): Promise<boolean> {
  try {
    await verifyNvidiaGpu({
      evidence: {
        kind: 'nvidia-gpu',
        devices: [{ ...device!, report: toBase64Url(changed.report ?? report) }],
      },
      collateral: { kind: 'nvidia-gpu', referenceManifests: changed.manifests ?? [driver!, vbios!] },
      policy: machine.policy,
      expected,
      nowMs: testNowMs,
      steps: [],
    });
    return false;
  } catch (error) {
    if (!(error instanceof EvidenceRefused)) throw error;
    return true;
  }
}

/** Read, or refused in the one way that a caller expects. */
function survives(read: () => unknown): boolean {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
  return true;
}

const withoutBlanks = (text: string) => text.replaceAll(/\s/g, '');
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('fuzzing', () => {
  test('accepts what was not changed', async () => {
    expect(await isRefused({})).toBe(false);
  });

  test('refuses every change of a report, and reads it or says so', async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const changed = applyEdits(report, changes);
        survives(() => parseGpuReport(changed));
        expect(sameBytes(changed, report) || (await isRefused({ report: changed }))).toBe(true);
      }),
      { seed, numRuns: 400 },
    );
  });

  test('refuses every change of a manifest that changes what it says', async () => {
    const bytes = Buffer.from(driver!, 'latin1');
    const own = parseReferenceManifest(driver!);
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const changed = Buffer.from(applyEdits(bytes, changes)).toString('latin1');
        let isSameToReaders = false;
        survives(() => {
          const { root, envelope } = parseReferenceManifest(changed);
          // A blank inside a tag, or in the base64 of the signature, is no change to anybody.
          isSameToReaders =
            canonicalizeXml(root, envelope.element) === canonicalizeXml(own.root, own.envelope.element) &&
            withoutBlanks(canonicalizeXml(root)) === withoutBlanks(canonicalizeXml(own.root));
        });
        expect(isSameToReaders || (await isRefused({ manifests: [changed, vbios!] }))).toBe(true);
      }),
      { seed, numRuns: 250 },
    );
  });

  test('reads bytes, texts and XML of any sort, or says so', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(survives(() => parseGpuReport(Uint8Array.from(bytes)))).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        expect(survives(() => parseReferenceManifest(text))).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.array(xmlPiece, { maxLength: 40 }), (pieces) => {
        expect(survives(() => parseXml(pieces.join('')))).toBe(true);
      }),
      { seed, numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(survives(() => readToolOutput(JSON.stringify(value), expected))).toBe(true);
      }),
      { seed, numRuns: 300 },
    );
  });

  test('XML that was read has one canonical form, which is read as itself', () => {
    fc.assert(
      fc.property(fc.array(xmlPiece, { maxLength: 12 }), (pieces) => {
        const text = `<r>${pieces.join('')}</r>`;
        survives(() => {
          const form = canonicalizeXml(parseXml(text));
          expect(canonicalizeXml(parseXml(form))).toBe(form);
        });
      }),
      { seed, numRuns: 2000 },
    );
  });
});
