import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A command like `nvattest`, with its options as NVIDIA's has them (global ones before the subcommand): asks the machine
 * behind `url` and prints what that says. It notes how it was called beside itself.
 *
 * @param behaviour - `answers`, or what else a command may do.
 */
export function writeGpuTool(
  folder: string,
  url: string,
  behaviour: 'answers' | 'fails' | 'hangs' | 'floods' | 'babbles' = 'answers',
): string {
  const file = join(folder, `nvattest-${behaviour}`);
  const script = `#!${process.execPath}
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
const [at] = [process.argv.indexOf('collect-evidence')];
appendFileSync(${JSON.stringify(`${file}.calls`)}, JSON.stringify({ arguments: process.argv.slice(2), environment: process.env }) + '\\n');
if (at < 2) process.exit(109);
parseArgs({ args: process.argv.slice(2, at), options: { format: { type: 'string' }, 'log-level': { type: 'string' } } });
const { values } = parseArgs({
  args: process.argv.slice(at + 1),
  options: { device: { type: 'string' }, nonce: { type: 'string' }, 'gpu-evidence-source': { type: 'string' } },
});
const behaviour = ${JSON.stringify(behaviour)};
if (behaviour === 'fails') {
  process.stderr.write('a driver at /usr/lib said no');
  process.stdout.write(JSON.stringify({ evidences: null, result_code: 7, result_message: 'no' }));
  process.exit(7);
}
if (behaviour === 'hangs') await new Promise((resolve) => setTimeout(resolve, 3_600_000));
if (behaviour === 'floods') {
  process.stdout.write('x'.repeat(3_000_000));
} else if (behaviour === 'babbles') {
  process.stdout.write('{"evidences": [{"arch": "HOPPER"}], "result_code": 0}');
} else {
  const answer = await fetch(${JSON.stringify(url)} + '/gpus?nonce=' + values.nonce);
  process.stdout.write(await answer.text());
}
`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}
