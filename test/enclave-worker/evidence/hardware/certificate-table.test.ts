import { describe, expect, test } from 'vitest';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { readCertificateTable } from '../../../../enclave-worker/evidence/hardware/certificate-table.ts';
import { sevSnpCollector } from '../../../../enclave-worker/evidence/hardware/machine-collectors.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { certificateIds, makeCertificateTable, mountTsm, TsmKernel } from '../../../parts/evidence/amd/tsm-folder.ts';

const machine = makeAmdMachine('Milan');
const { vcek, ask, ark } = machine.certificates;
const list = machine.revocationList;
const chain = [
  [certificateIds.vcek, vcek],
  [certificateIds.ask, ask],
  [certificateIds.ark, ark],
] as const;
const unknown = ['a8074bc2-a25a-483e-aae6-39c045a0b8a1', Uint8Array.of(0x30, 0x82)] as const;

describe('readCertificateTable', () => {
  test('reads a whole chain, whatever stands beside it', () => {
    const expected = { kind: 'sev-snp', vcek: toBase64Url(vcek), ask: toBase64Url(ask), ark: toBase64Url(ark) };
    expect(readCertificateTable(makeCertificateTable(chain))).toEqual(expected);
    expect(readCertificateTable(makeCertificateTable([unknown, ...chain.toReversed()]))).toEqual(expected);
    expect(readCertificateTable(makeCertificateTable([...chain, [certificateIds.revocationList, list]]))).toEqual({
      ...expected,
      revocationList: toBase64Url(list),
    });
    // A kernel gives it so: behind the certificates, zeros to the end of a page.
    const padded = new Uint8Array(16_384);
    padded.set(makeCertificateTable(chain));
    expect(readCertificateTable(padded)).toEqual(expected);
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(4096)],
    ['no VCEK', makeCertificateTable(chain.slice(1))],
    ['no ASK', makeCertificateTable([chain[0], chain[2]])],
    ['no ARK', makeCertificateTable(chain.slice(0, 2))],
    ['a second VCEK', makeCertificateTable([chain[0], ...chain])],
    ['PEM', makeCertificateTable([[certificateIds.vcek, Buffer.from('-----BEGIN')], chain[1], chain[2]])],
    ['a certificate that is too long', makeCertificateTable([[chain[0][0], der(8193)], chain[1], chain[2]])],
    ['a table without an end', makeCertificateTable(chain).subarray(0, 72)],
    ['a certificate behind the end', makeCertificateTable(chain).subarray(0, -1)],
    ['an entry without length', makeCertificateTable([...chain, [unknown[0], new Uint8Array(0)]])],
    ['entries without end', makeCertificateTable(Array.from({ length: 40 }, (_, i) => [idOf(i), der(10)] as const))],
  ])('%s is no chain', (_name, table) => {
    expect(readCertificateTable(table)).toBeNull();
  });

  test('random tables are read or not, without a hang or a throw', () => {
    const good = makeCertificateTable(chain);
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % below;
    };
    let read = 0;
    for (let round = 0; round < 3000; round += 1) {
      const table = Uint8Array.from(good.subarray(0, 1 + random(good.length)));
      for (let change = random(6); change > 0; change -= 1) table[random(Math.min(120, table.length))] = random(256);
      if (readCertificateTable(table) !== null) read += 1;
    }
    expect(read).toBeLessThan(300);
    expect(readCertificateTable(good)).not.toBeNull();
  });
});

describe('the host’s table beside a report', () => {
  const reportData = new Uint8Array(64).fill(3);
  const collect = async (table: Uint8Array, faults: Parameters<typeof machine.makeReport>[1] = {}) => {
    const makeReport = (inblob: Uint8Array) => ({ outblob: machine.makeReport(inblob, faults), auxblob: table });
    const unmount = mountTsm('/nowhere/report', new TsmKernel({ provider: 'sev_guest', makeReport }));
    try {
      return await sevSnpCollector('/nowhere/report')(reportData);
    } finally {
      unmount();
    }
  };

  test('is given along when it is whole; else AMD is to be asked', async () => {
    expect(await collect(makeCertificateTable(chain))).toMatchObject({ collateral: { kind: 'sev-snp' }, need: null });
    expect(await collect(makeCertificateTable(chain.slice(1)))).toMatchObject({
      collateral: null,
      need: { kind: 'sev-snp', product: 'Milan', chipId: toBase64Url(machine.chipId), tcb: { snp: 24 } },
    });
  });

  test('the certificate table of other firmware than the report is left aside', async () => {
    const reportedTcb = { ...machine.tcb, snp: machine.tcb.snp - 1 };
    expect(await collect(makeCertificateTable(chain), { report: { reportedTcb } })).toMatchObject({
      collateral: null,
      need: { tcb: { snp: 23 } },
    });
  });

  test('a report over other bytes than were asked for goes nowhere', async () => {
    const other = new Uint8Array(64).fill(4);
    await expect(collect(makeCertificateTable(chain), { report: { reportData: other } })).rejects.toThrow('malformed');
    await expect(collect(makeCertificateTable(chain), { report: { version: 9 } })).rejects.toThrow('malformed');
  });
});

function der(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([0x30, 0x82]);
  return bytes;
}

function idOf(index: number): string {
  return `00000000-0000-0000-0000-${String(index + 1).padStart(12, '0')}`;
}
