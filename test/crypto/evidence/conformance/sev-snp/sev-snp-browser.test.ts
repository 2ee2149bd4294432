import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../../../layers/source-files.ts';
import { startBrowser } from '../../../../parts/browser/browser.ts';
import { accepted } from './accepted-variants.ts';
import { machine, prepare, type Variant } from './sev-snp-bench.ts';
import { chains, lists } from './chain-variants.ts';
import { firmwares, guests, machines } from './platform-variants.ts';
import { forms, signatures } from './report-variants.ts';
import { vceks } from './vcek-variants.ts';

/** Answers each question in a Worker: the code of a refusal, or the measurement. */
const workerSource = `
import { verifySevSnp } from '${join(projectRoot, 'crypto/evidence/sev-snp/verify-sev-snp.ts')}';
onmessage = async ({ data }) => {
  const results = [];
  for (const { expected, ...question } of data) {
    try {
      results.push((await verifySevSnp({ ...question, expected: Uint8Array.from(expected), steps: [] })).measurement);
    } catch (error) {
      results.push(error.name === 'EvidenceRefused' ? error.code : String(error));
    }
  }
  postMessage(results);
};`;

let browser: Browser;
let server: Server;
let page: Page;
beforeAll(async () => {
  const build = await rolldown({
    input: 'worker',
    platform: 'browser',
    plugins: [
      {
        name: 'worker',
        resolveId: (id) => (id === 'worker' ? id : null),
        load: (id) => (id === 'worker' ? workerSource : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  server = createServer((request, response) => {
    const isScript = request.url === '/worker.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? output[0].code : '<!doctype html><title>Sotto</title>');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  browser = await startBrowser();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

async function answersOf(variants: readonly Variant[]): Promise<string[]> {
  const questions = variants.map((variant) => {
    const { expected, ...question } = prepare(variant);
    return { ...question, expected: [...expected] };
  });
  return page.evaluate(`new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(${JSON.stringify(questions)});
  })`);
}

test('SEV-SNP conformance in Chromium: the same verdicts as in Node', async () => {
  const refusals = [forms, signatures, chains, vceks, machines, firmwares, guests, lists].flat();
  const codes = await answersOf(refusals.map(([, , variant]) => variant));
  expect(refusals.map(([name], index) => [name, codes[index]])).toEqual(refusals.map(([name, code]) => [name, code]));
  const measurements = await answersOf(accepted.map(([, variant]) => variant));
  expect(measurements).toEqual(accepted.map(([, variant]) => (variant.on ?? machine).measurement));
});
