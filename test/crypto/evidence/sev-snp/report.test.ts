import { describe, expect, test } from 'vitest';
import { amdProducts, productOfCpu } from '../../../../crypto/evidence/sev-snp/amd-product.ts';
import { parseSnpReport, readSevSnpNeed } from '../../../../crypto/evidence/sev-snp/report.ts';
import { isAtLeast, readTcbVersion } from '../../../../crypto/evidence/sev-snp/tcb-version.ts';
import { collateralNeed } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import * as v from 'valibot';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

const data = new Uint8Array(64).fill(9);

describe('readSevSnpNeed', () => {
  test.each(amdProducts)('%s: what AMD has to be asked for', (product) => {
    const machine = makeAmdMachine(product);
    const { firmware, ...rest } = machine.tcb;
    const need = readSevSnpNeed(new Uint8Array(machine.makeReport(data)), null);
    expect(v.parse(collateralNeed, need)).toEqual({
      kind: 'sev-snp',
      product,
      chipId: Buffer.from(machine.chipId.subarray(0, product === 'Turin' ? 8 : 64)).toString('base64url'),
      tcb: { ...rest, firmware: product === 'Turin' ? firmware : null },
    });
  });

  test('version 2 does not say its processor: the machine does', () => {
    const machine = makeAmdMachine('Milan');
    const report = new Uint8Array(machine.makeReport(data, { report: { version: 2, cpu: null } }));
    expect(readSevSnpNeed(report, { family: 0x19, model: 1 }).product).toBe('Milan');
    expect(() => readSevSnpNeed(report, null)).toThrow(CryptoError);
    expect(() => readSevSnpNeed(report, { family: 6, model: 1 })).toThrow(CryptoError);
    const named = new Uint8Array(machine.makeReport(data));
    expect(readSevSnpNeed(named, { family: 0x19, model: 0x11 }).product).toBe('Milan');
  });

  test('nothing can be asked for a masked chip, reserved versions, or no report', () => {
    const machine = makeAmdMachine('Genoa');
    const make = (faults: Parameters<typeof machine.makeReport>[1]) => new Uint8Array(machine.makeReport(data, faults));
    expect(() => readSevSnpNeed(make({ report: { chipId: new Uint8Array(64) } }), null)).toThrow(CryptoError);
    expect(() => readSevSnpNeed(make({ beforeSigning: (report) => report.setUint8(0x182, 1) }), null)).toThrow(
      CryptoError,
    );
    expect(() => readSevSnpNeed(make({}).slice(1), null)).toThrow(CryptoError);
    expect(readSevSnpNeed(make({}), null).product).toBe('Genoa');
  });
});

test.each([
  [0x19, 0x00, 'Milan'],
  [0x19, 0x0f, 'Milan'],
  [0x19, 0x10, 'Genoa'],
  [0x19, 0x1f, 'Genoa'],
  [0x19, 0x20, null],
  [0x19, 0x9f, null],
  [0x19, 0xa0, 'Genoa'],
  [0x19, 0xaf, 'Genoa'],
  [0x19, 0xb0, null],
  [0x1a, 0x00, 'Turin'],
  [0x1a, 0x11, 'Turin'],
  [0x1a, 0x12, null],
  [0x17, 0x31, null],
])('productOfCpu: family %i, model %i', (family, model, product) => {
  expect(productOfCpu(family, model)).toBe(product);
});

describe('TCB versions', () => {
  test('have their bytes where the product has them', () => {
    const bytes = Uint8Array.of(1, 2, 0, 0, 0, 0, 3, 4);
    const expected = { bootLoader: 1, tee: 2, snp: 3, microcode: 4, firmware: null };
    expect(readTcbVersion(bytes, 'Milan')).toEqual(expected);
    expect(readTcbVersion(bytes, 'Genoa')).toEqual(expected);
    expect(readTcbVersion(Uint8Array.of(5, 1, 2, 3, 0, 0, 0, 4), 'Turin')).toEqual({ ...expected, firmware: 5 });
    for (const index of [2, 3, 4, 5]) expect(readTcbVersion(bytes.with(index, 1), 'Genoa')).toBeNull();
    for (const index of [4, 5, 6]) {
      expect(readTcbVersion(Uint8Array.of(5, 1, 2, 3, 0, 0, 0, 4).with(index, 1), 'Turin')).toBeNull();
    }
  });

  test('are compared component by component', () => {
    const base = { bootLoader: 5, tee: 5, snp: 5, microcode: 5, firmware: 5 };
    expect(isAtLeast(base, base)).toBe(true);
    for (const name of ['bootLoader', 'tee', 'snp', 'microcode', 'firmware'] as const) {
      const others = { bootLoader: 200, tee: 200, snp: 200, microcode: 200, firmware: 200 };
      expect(isAtLeast({ ...others, [name]: 4 }, base)).toBe(false);
      expect(isAtLeast({ ...others, [name]: 5 }, base)).toBe(true);
    }
  });
});

test('parseSnpReport: ends with a report or a CryptoError, whatever comes', () => {
  const next = seededNumbers(6);
  const machine = makeAmdMachine('Turin');
  const whole = machine.makeReport(data);
  let [read, refused] = [0, 0];
  for (let round = 0; round < 4000; round++) {
    // Half of them keep the length, or few would get past that check.
    const changed = mutate(whole, next);
    const bytes = round % 2 === 0 ? changed : new Uint8Array(1184).map((_, index) => changed[index] ?? 0);
    try {
      parseSnpReport(bytes);
      read++;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      refused++;
    }
  }
  expect(Math.min(read, refused)).toBeGreaterThan(100);
});
