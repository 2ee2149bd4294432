import { parseArgs } from 'node:util';
import { readRelease, releaseEntryOf } from './build/release-manifest.ts';

/* Prints the entry for `releases` of a policy: the worker that was built, and the measurements given here. */

const usage = `npx node enclave-worker/print-release.ts --url https://… [--sev-snp MEASUREMENT]… [--tdx MRTD,RTMR0,RTMR1,RTMR2,RTMR3]…
Measurements are SHA-384 in hex, as the machine's vendor or your image builder prints them.`;

try {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      'sev-snp': { type: 'string', multiple: true, default: [] },
      tdx: { type: 'string', multiple: true, default: [] },
    },
  });
  const entry = releaseEntryOf(readRelease(), {
    url: values.url ?? '',
    sevSnp: values['sev-snp'],
    tdx: values.tdx.map((text) => {
      const [mrTd = '', ...rtMrs] = text.split(',');
      return { mrTd, rtMrs };
    }),
  });
  process.stdout.write(`${JSON.stringify(entry, null, 2)}\n`);
} catch {
  process.stderr.write(`${usage}\nBuild first: npm run build:worker\n`);
  process.exitCode = 1;
}
