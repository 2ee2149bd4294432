import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { loadEnvironmentFile } from '../process/environment-file.ts';
import {
  checkFolderIsWritable,
  checkPortIsFree,
  drawToken,
  findLoopbackPort,
  nameOnThisMachine,
} from './launch/preflight.ts';
import { runToEnd } from './launch/run-to-end.ts';
import { ChildFailed, SupervisedChild } from './launch/supervised-child.ts';
import { watchSources } from './launch/watch-sources.ts';
import { readSettings, type Settings } from './settings.ts';
import { StartError } from '../process/start-error.ts';

const projectFolder = join(import.meta.dirname, '..');
/** Frames live for a moment: a small nursery of V8 costs no time, and a third of the memory is not taken. */
const relayOptions = ['--max-semi-space-size=4'];
/** One Ctrl-C is one ordered stop, and it ends within this time. */
const stopWithinMs = 10_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `npm start` and `npm run dev`: builds the client, runs worker and relay side by side, and stops them in order. */
class Launcher {
  readonly #settings: Settings;
  readonly #isDevelopment: boolean;
  readonly #children: SupervisedChild[] = [];
  #vite: ChildProcess | undefined;
  #stopWatching: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  #port = 0;

  constructor(settings: Settings, isDevelopment: boolean) {
    this.#settings = settings;
    this.#isDevelopment = isDevelopment;
  }

  async start(): Promise<void> {
    const { host, dataFolder, enclavePool } = this.#settings;
    checkFolderIsWritable(dataFolder);
    this.#port = await checkPortIsFree(host, this.#settings.port);
    // Quiet on a terminal, unless somebody asks for more.
    const environment: NodeJS.ProcessEnv = { LOG_LEVEL: 'warn', ...process.env, PORT: String(this.#port) };
    const relayEnvironment = { ...environment };
    if (enclavePool === 'local') {
      const workerPort = await findLoopbackPort();
      const token = drawToken();
      relayEnvironment['ENCLAVE_URLS'] = `http://127.0.0.1:${workerPort}`;
      relayEnvironment['ENCLAVE_TOKEN'] = token;
      say('worker: starting …');
      // First, and before anything slow: a wrong setting of the worker is told at once.
      await this.#run('worker', 'enclave-worker/main.ts', {
        ...environment,
        DATA_DIR: dataFolder,
        WORKER_HOST: '127.0.0.1',
        WORKER_PORT: String(workerPort),
        ENCLAVE_TOKEN: token,
      });
    }
    if (!this.#isDevelopment) {
      const code = await runToEnd(join(projectFolder, 'client/build.ts'));
      if (code !== 0) throw new StartError('The client could not be built; the lines above say why.');
    }
    if (this.#isDevelopment) {
      const relayPort = await findLoopbackPort();
      relayEnvironment['PORT'] = String(relayPort);
      relayEnvironment['HOST'] = '127.0.0.1';
      this.#startVite(`http://127.0.0.1:${relayPort}`);
    }
    say('relay: starting …');
    await this.#run('relay', 'server/main.ts', relayEnvironment, relayOptions);
    if (this.#stopping === undefined) this.#sayAddress();
    if (this.#isDevelopment) this.#restartOnChange();
  }

  /** Relay first, so that it takes nothing more and writes what it has; then the worker. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#stopWatching?.();
      this.#vite?.kill();
      const deadline = performance.now() + stopWithinMs;
      for (const child of this.#children.toReversed()) await child.stop(Math.max(500, deadline - performance.now()));
    })();
    return this.#stopping;
  }

  #run(name: string, file: string, environment: NodeJS.ProcessEnv, nodeOptions: readonly string[] = []): Promise<void> {
    const child = new SupervisedChild({ name, file: join(projectFolder, file), environment, nodeOptions, say });
    this.#children.push(child);
    return child.start();
  }

  #startVite(relayUrl: string): void {
    const { host } = this.#settings;
    const program = join(projectFolder, 'node_modules/vite/bin/vite.js');
    const options = ['--config', 'client/vite.config.ts', '--host', host, '--port', String(this.#port), '--strictPort'];
    this.#vite = spawn(process.execPath, [program, ...options], {
      cwd: projectFolder,
      env: { ...process.env, DEV_RELAY_URL: relayUrl },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  #restartOnChange(): void {
    const [worker, relay] = this.#children.length === 2 ? this.#children : [undefined, this.#children[0]];
    const within = (folder: string) => join(projectFolder, folder);
    const stops = [
      watchSources([within('server'), within('process'), within('crypto')], () => void relay?.replace()),
      watchSources([within('enclave-worker'), within('process'), within('crypto')], () => void worker?.replace()),
    ];
    this.#stopWatching = () => stops.forEach((stop) => stop());
  }

  #sayAddress(): void {
    const { host, publicUrl, tls } = this.#settings;
    const address = publicUrl ?? `${tls === null ? 'http' : 'https'}://${nameOnThisMachine(host)}:${this.#port}`;
    say(`\nSotto is at ${address}   (Ctrl-C stops it)`);
  }
}

async function main(): Promise<void> {
  loadEnvironmentFile();
  const launcher = new Launcher(readSettings(process.env), process.argv.includes('--dev'));
  const stopped = new Promise<void>((resolve) => {
    let isAsked = false;
    const stop = () => {
      // One Ctrl-C under `npm start` comes twice: from the terminal, and from npm, which hands it on.
      if (isAsked) return;
      isAsked = true;
      say('Stopping …');
      void launcher.stop().then(resolve);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
  try {
    // A Ctrl-C while it starts ends the start.
    await Promise.race([launcher.start(), stopped]);
  } catch (error) {
    await launcher.stop();
    throw error;
  }
  await stopped;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const isForPeople = error instanceof StartError || error instanceof ChildFailed;
  process.stderr.write(`${isForPeople ? error.message : 'Sotto could not start.'}\n`);
  if (!isForPeople) process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}
