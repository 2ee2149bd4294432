// npm run bench: a table of what this machine does today, and the same as JSON in test/report. `npm run bench -- sign-in`
// runs one bench by its name.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { benchBrowserConversation } from './browser-conversation.ts';
import { benchBundleSizes } from './bundle-sizes.ts';
import { benchConcurrentTurns, benchPacedTurns } from './concurrent-turns.ts';
import { benchEnclaveReadiness } from './enclave-readiness.ts';
import { benchFirstToken } from './first-token.ts';
import { benchFramesRelayed } from './frames-relayed.ts';
import { benchHostileAnswers } from './hostile-answers.ts';
import { type Figure, formatFigures } from './figure.ts';
import { benchRelayStop } from './relay-stop.ts';
import { benchSignIn } from './sign-in.ts';
import { benchEvidenceVerification } from './evidence-verification.ts';
import { benchWorstCaller } from './worst-caller.ts';

const benches: Record<string, () => Promise<Figure[]>> = {
  'bundle-sizes': benchBundleSizes,
  'sign-in': benchSignIn,
  'evidence-verification': benchEvidenceVerification,
  'enclave-readiness': benchEnclaveReadiness,
  'first-token': benchFirstToken,
  'browser-conversation': benchBrowserConversation,
  'hostile-answers': benchHostileAnswers,
  'frames-relayed': benchFramesRelayed,
  'concurrent-turns': benchConcurrentTurns,
  'worst-caller': benchWorstCaller,
  'paced-turns': benchPacedTurns,
  'relay-stop': benchRelayStop,
};

const reportFolder = join(import.meta.dirname, '../report');
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are ${Object.keys(benches).join(', ')}.`);
  process.exit(1);
}

const report: Record<string, Figure[]> = {};
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n${name}`);
  report[name] = await bench();
  console.log(formatFigures(report[name]));
}
mkdirSync(reportFolder, { recursive: true });
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
writeFileSync(join(reportFolder, 'bench.json'), JSON.stringify({ machine, report }, null, 2));
process.exit(0);
