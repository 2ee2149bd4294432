import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { readSettings as readWorkerSettings } from '../../enclave-worker/settings.ts';
import { parseEnvironmentFile } from '../../process/settings/environment-file.ts';
import { readValues } from '../../process/settings/read-values.ts';
import { rowsOf, type SettingName, settingNames } from '../../process/settings/settings-table.ts';
import { readSettings as readRelaySettings } from '../../server/settings.ts';
import { interpolateAsCompose } from '../parts/machine/compose/compose-env.ts';
import { readComposeFile } from '../parts/machine/compose/compose-file.ts';
import { projectRoot } from '../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

const text = readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8');
const example = readFileSync(join(projectRoot, '.env.example'), 'utf8');
const caddyfile = readFileSync(join(projectRoot, 'Caddyfile'), 'utf8');

const service = v.looseObject({
  image: v.optional(v.string()),
  build: v.optional(v.looseObject({ dockerfile: v.optional(v.string()), dockerfile_inline: v.optional(v.string()) })),
  user: v.string(),
  read_only: v.boolean(),
  cap_drop: v.array(v.string()),
  cap_add: v.optional(v.array(v.string()), []),
  privileged: v.optional(v.boolean(), false),
  security_opt: v.array(v.string()),
  mem_limit: v.string(),
  memswap_limit: v.string(),
  cpus: v.union([v.string(), v.number()]),
  pids_limit: v.number(),
  profiles: v.optional(v.array(v.string()), []),
  ports: v.optional(v.array(v.string()), []),
  environment: v.optional(v.record(v.string(), v.string()), {}),
  volumes: v.optional(v.array(v.string()), []),
  networks: v.optional(v.union([v.array(v.string()), v.record(v.string(), v.unknown())]), []),
  network_mode: v.optional(v.string()),
  command: v.optional(v.array(v.string()), []),
  entrypoint: v.optional(v.array(v.string()), []),
  healthcheck: v.optional(v.looseObject({ test: v.array(v.string()) })),
});
type Service = v.InferOutput<typeof service>;
const network = v.looseObject({
  internal: v.optional(v.boolean()),
  ipam: v.optional(v.object({ config: v.array(v.object({ subnet: v.string(), ip_range: v.optional(v.string()) })) })),
});
const composeFile = v.looseObject({
  services: v.record(v.string(), service),
  networks: v.record(v.string(), v.nullable(network)),
  volumes: v.record(v.string(), v.nullable(v.unknown())),
});

/** Values as they would be set: those of the example, and the ones it leaves to the operator. */
const filledIn: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...example.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  ),
  PUBLIC_URL: 'https://chat.example.org',
  SERVER_KEYS: 'keys',
  POSTGRES_PASSWORD: 'p'.repeat(64),
  ENCLAVE_TOKEN: 't'.repeat(64),
};

const interpolate = (value: string) => interpolateAsCompose(value, (name) => filledIn[name]);

describe('docker-compose.yml', () => {
  const parsed = v.parse(composeFile, readComposeFile('docker-compose.yml'));
  const services: Readonly<Record<string, Service>> = parsed.services;
  const all = Object.entries(services);
  const find = (name: string): Service => {
    const found = services[name];
    if (found === undefined) throw new Error(`there is no service ${name}`);
    return found;
  };
  const settingsOf = (name: string) =>
    Object.fromEntries(Object.entries(find(name).environment).map(([key, value]) => [key, interpolate(value)]));
  const networksOf = ({ networks }: Service) => (Array.isArray(networks) ? networks : Object.keys(networks));

  it('each service is locked: not root, read-only, no capability, no new privilege', () => {
    expect(all.map(([name]) => name).toSorted()).toEqual(
      [
        'caddy',
        'database',
        'fetch-cpu',
        'fetch-gpu',
        'model-cpu',
        'model-gpu',
        'relay',
        'worker-cpu',
        'worker-gpu',
      ].toSorted(),
    );
    for (const [name, one] of all) {
      expect(one.user, name).toMatch(/^[1-9]\d*:\d+$/);
      expect(one.read_only, name).toBe(true);
      expect(one.cap_drop, name).toEqual(['ALL']);
      expect(one.cap_add, name).toEqual([]);
      expect(one.privileged, name).toBe(false);
      expect(one.security_opt, name).toContain('no-new-privileges:true');
      expect(
        one.volumes.filter((volume) => /docker\.sock|^\/(?!certificates)/.test(volume)),
        name,
      ).toEqual([]);
    }
  });

  it('no service can take the whole machine: memory without swap, cores and processes are bounded', () => {
    const bytes = (text: string) => Number.parseFloat(text) * (text.endsWith('g') ? 1024 : 1);
    for (const [name, one] of all) {
      const memory = interpolate(one.mem_limit);
      expect(memory, name).toMatch(/^\d+[mg]$/);
      expect(interpolate(one.memswap_limit), name).toBe(memory);
      expect(Number(interpolate(String(one.cpus))), name).toBeGreaterThan(0);
      expect(one.pids_limit, name).toBeLessThanOrEqual(4_096);
    }
    // At its worst a relay takes this much, as server/OPERATING.md says.
    expect(bytes(interpolate(find('relay').mem_limit))).toBeGreaterThanOrEqual(2 * 1024);
  });

  it("no port but Caddy's is published", () => {
    expect(all.filter(([, { ports }]) => ports.length > 0).map(([name]) => name)).toEqual(['caddy']);
    expect(find('caddy').ports).toEqual(['80:8080', '443:8443']);
    expect(text).not.toMatch(/network_mode:\s*host/);
  });

  it('every image is pinned by digest, and every build starts from one that is', () => {
    const pinned = /@sha256:[0-9a-f]{64}$/;
    for (const [name, { image, build }] of all) {
      expect(image ?? 'built@sha256:' + '0'.repeat(64), name).toMatch(pinned);
      const dockerfile =
        build?.dockerfile_inline ??
        (build === undefined ? '' : readFileSync(join(projectRoot, build.dockerfile ?? 'Dockerfile'), 'utf8'));
      for (const [, base = ''] of dockerfile.matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)) {
        expect(base, `${name}: ${base}`).toMatch(pinned);
      }
    }
  });

  it('the model has no way out, and listens on loopback beside its worker', () => {
    for (const kind of ['cpu', 'gpu']) {
      const model = find(`model-${kind}`);
      expect(model.network_mode).toBe(`service:worker-${kind}`);
      expect(model.command).toContain('--host=127.0.0.1');
      expect(networksOf(find(`worker-${kind}`))).toEqual(['enclaves']);
      expect(find(`worker-${kind}`).environment['LLM_BASE_URL']).toBe('http://127.0.0.1:8000/v1');
      expect(networksOf(find(`fetch-${kind}`))).toEqual(['outside']);
      // Fetched by one, read by the two others.
      const volume = `weights-${kind}`;
      for (const reader of [model, find(`worker-${kind}`)]) expect(reader.volumes).toEqual([`${volume}:/weights:ro`]);
      expect(find(`fetch-${kind}`).volumes.filter((entry) => entry.startsWith(`${volume}:`))).toHaveLength(1);
      expect([model, find(`worker-${kind}`), find(`fetch-${kind}`)].map(({ profiles }) => profiles)).toEqual([
        [kind],
        [kind],
        [kind],
      ]);
    }
    expect(parsed.networks['enclaves']?.internal).toBe(true);
    expect(parsed.networks['storage']?.internal).toBe(true);
    expect(networksOf(find('database'))).toEqual(['storage']);
    expect(networksOf(find('caddy'))).toEqual(['edge']);
  });

  it('the address that the relay trusts is Caddy’s, and one that Docker hands to nobody else', () => {
    const [pool] = parsed.networks['edge']?.ipam?.config ?? [];
    const address = find('caddy').networks;
    const fixed = v.parse(v.object({ edge: v.object({ ipv4_address: v.string() }) }), address).edge.ipv4_address;
    const inside = (range: string | undefined) => {
      const [network = '', prefix] = (range ?? '').split('/');
      const list = new BlockList();
      list.addSubnet(network, Number(prefix));
      return list.check(fixed);
    };
    expect([inside(pool?.subnet), inside(pool?.ip_range)]).toEqual([true, false]);
    expect(find('relay').environment['TRUSTED_PROXIES']).toBe(fixed);
  });

  it('no secret has a default, and each is given where it is needed and nowhere else', () => {
    for (const [, secret = '', rule = ''] of text.matchAll(
      /\$\{([A-Z_]*(?:TOKEN|PASSWORD|KEYS|SECRET))(:?[-?][^}]*)?\}/g,
    )) {
      expect(rule, secret).toMatch(/^:\?.{8,}|^:-$/);
      expect(filledIn[secret], secret).toBeDefined();
      expect(new RegExp(`^${secret}=$`, 'm').test(example), secret).toBe(true);
    }
    const holders = (name: string) =>
      all
        .filter(([, one]) => JSON.stringify(one).includes(`\${${name}`))
        .map(([holder]) => holder)
        .toSorted();
    expect(holders('SERVER_KEYS')).toEqual(['relay']);
    expect(holders('POSTGRES_PASSWORD')).toEqual(['database', 'relay']);
    expect(holders('ENCLAVE_TOKEN')).toEqual(['relay', 'worker-cpu', 'worker-gpu']);
    expect(holders('HF_TOKEN')).toEqual(['fetch-gpu']);
    expect(holders('MODAL_PROXY_TOKEN')).toEqual(['relay']);
  });

  it('.env.example has every value that the file reads, and no other', () => {
    const read = new Set([...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name = '']) => name));
    const given = [...example.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name = '']) => name);
    expect(given.filter((name) => name !== 'COMPOSE_PROFILES').toSorted()).toEqual([...read].toSorted());
    expect(new Set(given).size).toBe(given.length);
  });

  it('gives the relay what `npm start` reads out of the same .env, but for what only a container can know', () => {
    const file = parseEnvironmentFile(
      Object.entries(filledIn)
        .map(([name, value]) => `${name}='${value}'`)
        .join('\n'),
    );
    const fixed = ['HOST', 'PORT', 'DATA_DIR', 'DATABASE_URL', 'CLIENT_ADDRESS_HEADER', 'TRUSTED_PROXIES'];
    const handedOn = rowsOf('relay').flatMap(([name, { who }]) => (who.includes('compose') ? [name] : []));
    const { environment } = find('relay');
    expect(Object.keys(environment).toSorted()).toEqual([...fixed, ...handedOn].toSorted());
    const notByName = handedOn.filter((name) => !/^\$\{([A-Z0-9_]+)[:}]/.exec(environment[name] ?? '')?.includes(name));
    expect(notByName).toEqual([]);
    const pick = (values: object) => Object.entries(values).filter(([name]) => handedOn.includes(name as SettingName));
    // Left empty: each has a worker of its own.
    const withoutPool = (values: object) => pick({ ...values, ENCLAVE_POOL: null, ENCLAVE_URLS: null });
    const own = readValues('relay', Object.fromEntries(file));
    const inContainer = readValues('relay', settingsOf('relay'));
    expect(withoutPool(own)).toHaveLength(handedOn.length);
    expect(withoutPool(inContainer)).toEqual(withoutPool(own));
    expect([own.ENCLAVE_POOL, own.ENCLAVE_URLS]).toEqual(['local', null]);
    expect(own.PUBLIC_URL).toBe('https://chat.example.org');
  });

  it('reads no name that the table of settings does not give it', () => {
    const read = [...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name = '']) => name);
    const rows = new Set<string>(rowsOf('compose').map(([name]) => name));
    expect([...new Set(read)].filter((name) => !rows.has(name))).toEqual([]);
    expect([...rows].filter((name) => !read.includes(name))).toEqual([]);
  });

  it('relay and worker are given settings that they know, and start with them', async () => {
    const known: readonly string[] = settingNames;
    for (const name of ['relay', 'worker-cpu', 'worker-gpu']) {
      expect(Object.keys(find(name).environment).filter((setting) => !known.includes(setting))).toEqual([]);
    }
    const relay = readRelaySettings(settingsOf('relay'));
    expect(relay).toMatchObject({
      host: '0.0.0.0',
      publicUrl: 'https://chat.example.org',
      enclavePool: 'static',
      enclaveUrls: ['http://worker:8788'],
      clientAddress: { header: 'x-client-address', trustedProxies: ['172.31.87.2'] },
    });
    await using folder = await makeTemporaryFolder('weights');
    for (const kind of ['cpu', 'gpu']) {
      const settings = { ...settingsOf(`worker-${kind}`), LLM_WEIGHTS_FOLDER: folder.path };
      const worker = readWorkerSettings(settings);
      expect(worker.port).toBe(8788);
      expect(worker.engines.server?.model).toBe(kind === 'cpu' ? 'Qwen3.5-0.8B-Q4_K_M' : 'Qwen/Qwen3.5-9B');
    }
  });

  it('the model servers are told not to log, by flags that they have', () => {
    const flags = v.parse(
      v.object({ vllm: v.string(), flags: v.array(v.string()), switches: v.array(v.string()) }),
      JSON.parse(readFileSync(join(projectRoot, 'test/modal/vllm-flags.json'), 'utf8')),
    );
    const gpu = find('model-gpu');
    expect(gpu.image).toContain(`vllm-openai:v${flags.vllm}@`);
    for (const flag of gpu.command.slice(1).map((part) => part.split('=')[0] ?? '')) {
      const isNegated = flag.startsWith('--no-');
      expect(isNegated ? flags.switches : flags.flags, flag).toContain(flag.replace(/^--no-/, '--'));
    }
    expect(gpu.command).toEqual(expect.arrayContaining(['--no-enable-log-requests', '--load-format=safetensors']));
    expect(gpu.environment).toMatchObject({
      VLLM_NO_USAGE_STATS: '1',
      HF_HUB_OFFLINE: '1',
      VLLM_LOGGING_LEVEL: 'ERROR',
    });
    expect(find('model-cpu').command).toEqual(expect.arrayContaining(['--no-slots', '--no-cache-prompt']));
  });

  it('every service that stays has a health check of its own or of its image', () => {
    for (const [name, { healthcheck, build }] of all) {
      if (name.startsWith('fetch-')) continue;
      const dockerfile =
        build?.dockerfile === undefined ? '' : readFileSync(join(projectRoot, build.dockerfile), 'utf8');
      expect(healthcheck !== undefined || dockerfile.includes('HEALTHCHECK'), name).toBe(true);
    }
  });
});

describe('Caddyfile', () => {
  it('keeps no log, has no admin port, and writes the address header itself', () => {
    expect(caddyfile).not.toMatch(/^\s*log\b/m);
    expect(caddyfile).toMatch(/^\s*admin off$/m);
    expect(caddyfile).toMatch(/^\s*header_up X-Client-Address \{remote_host\}$/m);
    expect(caddyfile).toMatch(/^\s*flush_interval -1$/m);
    expect(text).toContain('CLIENT_ADDRESS_HEADER: x-client-address');
    for (const [, inside = ''] of text.matchAll(/'\d+:(8\d+)'/g)) expect(caddyfile).toContain(inside);
  });
});
