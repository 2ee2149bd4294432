import { mountTsm, TsmKernel } from './tsm-folder.ts';

/* Loaded before the worker (`node --import`): gives its process the kernel interface of the machine at TEST_CHIP_URL. */

const url = process.env['TEST_CHIP_URL'];
const provider = process.env['TEST_CHIP_PROVIDER'];
if (url !== undefined && (provider === 'sev_guest' || provider === 'tdx_guest')) {
  const makeReport = async (inblob: Uint8Array) => {
    const answer = await fetch(`${url}/report`, { method: 'POST', body: Uint8Array.from(inblob) });
    if (!answer.ok) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    const { outblob, auxblob } = (await answer.json()) as { outblob: string; auxblob: string | null };
    return {
      outblob: Uint8Array.from(Buffer.from(outblob, 'base64')),
      auxblob: auxblob === null ? null : Uint8Array.from(Buffer.from(auxblob, 'base64')),
    };
  };
  mountTsm('/sys/kernel/config/tsm/report', new TsmKernel({ provider, makeReport }));
}
