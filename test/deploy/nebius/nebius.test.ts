import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { readComposeFile } from '../../parts/machine/compose/compose-file.ts';
import { projectRoot, pythonEnvironment, runPython } from '../../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const folder = join(projectRoot, 'enclave-worker/deploy/nebius');
const environment = pythonEnvironment();
const python = environment.python ?? '';
const because = environment.reason === null ? '' : ` (skipped: ${environment.reason})`;
const terraform = spawnSync('terraform', ['version'], { encoding: 'utf8' });
const hasTerraform = terraform.status === 0;
const withoutTerraform = hasTerraform ? '' : ' (skipped: terraform is not here)';
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const digest = 'a'.repeat(64);

const given: Readonly<Record<string, unknown>> = {
  project_id: 'project-1',
  network_id: 'vpcnetwork-1',
  subnet_id: 'vpcsubnet-1',
  relay_cidrs: ['203.0.113.7/32'],
  ssh_public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE somebody',
  worker_image: `registry.example.org/sotto-worker@sha256:${digest}`,
};

/** Runs Terraform over variables.tf and the locals of main.tf, with a known address; no provider is needed. */
async function run(
  command: readonly string[],
  input = '',
  variables = given,
): Promise<{ status: number | null; output: string }> {
  await using place = await makeTemporaryFolder('terraform');
  const locals = /^locals \{\n[\s\S]*?^\}\n/m.exec(read('main.tf'))?.[0] ?? '';
  writeFileSync(
    join(place.path, 'main.tf'),
    locals
      .replace(/nebius_vpc_v1_allocation\.public\.status\.details\.allocated_cidr/, '"198.51.100.4/32"')
      .replaceAll('${path.module}/../../../', `${projectRoot}/`)
      .replaceAll('${path.module}/', `${folder}/`),
  );
  writeFileSync(join(place.path, 'variables.tf'), read('variables.tf'));
  writeFileSync(join(place.path, 'terraform.tfvars.json'), JSON.stringify(variables));
  const result = spawnSync('terraform', command, {
    cwd: place.path,
    input,
    encoding: 'utf8',
    env: { ...process.env, TF_CLI_CONFIG_FILE: '', CHECKPOINT_DISABLE: '1', NO_COLOR: '1' },
  });
  return { status: result.status, output: `${result.stdout}${result.status === 0 ? '' : result.stderr}` };
}

describe.skipIf(!hasTerraform)(`Terraform for Nebius${withoutTerraform}`, () => {
  it('is formatted as terraform fmt has it', () => {
    const result = spawnSync('terraform', ['fmt', '-check', '-diff', '-recursive', folder], {
      encoding: 'utf8',
      env: { ...process.env, TF_CLI_CONFIG_FILE: '' },
    });
    expect(result.stdout).toBe('');
    expect(result.status).toBe(0);
  });

  it('the cloud-init document holds the files as they are, and no secret', async () => {
    const printed = await run(['console'], 'jsonencode(local.cloud_config)\n');
    expect(printed.status).toBe(0);
    const config = v.parse(
      v.looseObject({
        users: v.tuple([v.looseObject({ lock_passwd: v.literal(true), ssh_authorized_keys: v.array(v.string()) })]),
        ssh_pwauth: v.literal(false),
        disable_root: v.literal(true),
        packages: v.array(v.string()),
        write_files: v.array(
          v.strictObject({
            path: v.string(),
            encoding: v.literal('b64'),
            content: v.string(),
            permissions: v.string(),
            owner: v.literal('root:root'),
          }),
        ),
        runcmd: v.array(v.array(v.string())),
      }),
      JSON.parse(JSON.parse(printed.output) as string),
    );
    const files = new Map(
      config.write_files.map(({ path, content }) => [path, Buffer.from(content, 'base64').toString('utf8')]),
    );
    for (const name of ['docker-compose.yml', 'Caddyfile', 'prepare.sh']) {
      expect(files.get(`/opt/sotto/${name}`)).toBe(read(`machine/${name}`));
    }
    expect(files.get('/opt/sotto/sotto_weights.py')).toBe(
      readFileSync(join(projectRoot, 'modal/sotto_weights.py'), 'utf8'),
    );
    expect(files.get('/opt/sotto/settings.env')?.split('\n').toSorted()).toEqual([
      '',
      'CONTEXT_TOKENS=32768',
      'GPU_COUNT=1',
      'MODEL=Qwen/Qwen3.5-9B',
      'MODEL_REVISION=c202236235762e1c871ad0ccb60c8ee5ba337b9a',
      'PUBLIC_IP=198.51.100.4',
      'REASONING_PARSER=qwen3',
      `WORKER_IMAGE=registry.example.org/sotto-worker@sha256:${digest}`,
    ]);
    expect(config.runcmd).toEqual([['/opt/sotto/prepare.sh']]);
    expect(config.write_files.find(({ path }) => path.endsWith('prepare.sh'))?.permissions).toBe('0755');
    // The whole document stays below what clouds take.
    expect(printed.output.length).toBeLessThan(32_768);
  });

  it.each([
    ['the whole internet', { relay_cidrs: ['0.0.0.0/0'] }],
    ['no relay', { relay_cidrs: [] }],
    ['a wide network', { relay_cidrs: ['203.0.113.0/16'] }],
    ['ssh for everybody', { admin_cidrs: ['0.0.0.0/0'] }],
    ['an image by tag', { worker_image: 'registry.example.org/sotto-worker:latest' }],
    ['a branch of the model', { model_revision: 'main' }],
    ['a password for a key', { ssh_public_key: 'hunter2' }],
  ])('refuses %s', async (_, wrong) => {
    const refused = await run(['plan', '-input=false', '-no-color'], '', { ...given, ...wrong });
    expect(refused.status).toBe(1);
    expect(refused.output).toMatch(/Invalid value for variable/);
  });

  it('takes what the refused ones differ from', async () => {
    expect((await run(['plan', '-input=false', '-no-color'])).status).toBe(0);
    expect(
      (await run(['plan', '-input=false', '-no-color'], '', { ...given, admin_cidrs: ['203.0.113.9/32'] })).status,
    ).toBe(0);
  });
});

const attributes = v.record(v.string(), v.unknown());
const schema = v.parse(
  v.object({
    version: v.string(),
    resources: v.record(
      v.string(),
      v.record(v.string(), v.object({ required: v.array(v.string()), optional: v.array(v.string()) })),
    ),
  }),
  JSON.parse(readFileSync(join(projectRoot, 'test/deploy/nebius/provider-schema.json'), 'utf8')),
);
type Sections = (typeof schema.resources)[string];
/** Every resource may have these, whatever its provider. */
const metaArguments = ['count', 'for_each', 'depends_on', 'lifecycle', 'provider'];

/** Names what is wrong with the arguments of a resource, by the provider's documented schema. */
function complaints(sections: Sections, value: Readonly<Record<string, unknown>>, path = ''): readonly string[] {
  const section = sections[path] ?? { required: [], optional: [] };
  const known = [...section.required, ...section.optional, ...(path === '' ? metaArguments : [])];
  const names = Object.keys(value).filter((name) => !name.startsWith('__'));
  return [
    ...names.filter((name) => !known.includes(name)).map((name) => `${path}.${name} is not known`),
    ...section.required.filter((name) => !names.includes(name)).map((name) => `${path}.${name} is missing`),
    ...names.flatMap((name) =>
      [value[name]]
        .flat()
        .filter((one) => v.is(attributes, one) && !Array.isArray(one))
        .flatMap((one) => complaints(sections, one as Record<string, unknown>, path === '' ? name : `${path}.${name}`)),
    ),
  ];
}

describe.skipIf(environment.reason !== null)(`Nebius resources${because}`, () => {
  const parse = (name: string) =>
    JSON.parse(
      runPython(python, ['test/deploy/nebius/read_hcl.py', `enclave-worker/deploy/nebius/${name}`]).output,
    ) as unknown;
  const main =
    environment.reason === null ? v.parse(v.looseObject({ resource: v.array(v.unknown()) }), parse('main.tf')) : null;
  const resources = (main?.resource ?? []).flatMap((entry) =>
    Object.entries(v.parse(v.record(v.string(), v.record(v.string(), attributes)), entry)).flatMap(([kind, named]) =>
      Object.entries(named).map(([name, value]) => ({ kind: bare(kind), name: bare(name), value })),
    ),
  );

  it('the provider is pinned to the version whose schema is checked', () => {
    expect(read('versions.tf')).toContain(`version = "${schema.version}"`);
    expect(read('versions.tf')).toContain('source = "nebius/nebius"');
  });

  it('every argument of every resource is one of the provider, and none is missing', () => {
    expect(resources.map(({ kind }) => kind).toSorted()).toEqual([
      'nebius_compute_v1_instance',
      'nebius_vpc_v1_allocation',
      'nebius_vpc_v1_security_group',
      ...Array.from({ length: 5 }, () => 'nebius_vpc_v1_security_rule'),
    ]);
    for (const { kind, name, value } of resources) {
      const sections = schema.resources[kind];
      expect(sections, kind).toBeDefined();
      expect(complaints(sections ?? {}, value), `${kind}.${name}`).toEqual([]);
    }
    // Seen to see: an argument that is none, and one that is left out.
    const instance = resources.find(({ kind }) => kind === 'nebius_compute_v1_instance')?.value ?? {};
    const sections = schema.resources['nebius_compute_v1_instance'] ?? {};
    expect(complaints(sections, { ...instance, user_data: 'x' })).toEqual(['.user_data is not known']);
    expect(complaints(sections, { ...instance, boot_disk: { attach: 'x' } })).toEqual([
      'boot_disk.attach is not known',
      'boot_disk.attach_mode is missing',
    ]);
  });

  it('the worker is the only open port, to the relay; everything else is denied', () => {
    const rules = resources.filter(({ kind }) => kind.endsWith('security_rule')).map(({ name }) => name);
    expect(rules.toSorted()).toEqual(['admin', 'egress', 'no_other_egress', 'no_other_ingress', 'relay']);
    const text = read('main.tf');
    expect(text).toMatch(/source_cidrs\s+= var\.relay_cidrs\n\s+destination_ports = \[local\.worker_port\]/);
    expect(text.match(/source_cidrs = \["0\.0\.0\.0\/0"\]/g)).toHaveLength(1);
    expect(text).toMatch(/"no-other-ingress"\n\s+access\s+= "DENY"/);
    expect(text).toMatch(/"no-other-egress"\n\s+access\s+= "DENY"/);
    expect(`${text}${read('variables.tf')}${read('outputs.tf')}`).not.toMatch(
      /token"|password"|private_key|random_|tls_/i,
    );
  });
});

describe('the containers of the machine', () => {
  it('are locked as those of docker-compose.yml', () => {
    const machine = v.parse(
      v.looseObject({
        services: v.record(
          v.string(),
          v.looseObject({
            user: v.pipe(v.string(), v.regex(/^[1-9]\d*:\d+$/)),
            read_only: v.literal(true),
            cap_drop: v.tuple([v.literal('ALL')]),
            security_opt: v.tuple([v.literal('no-new-privileges:true')]),
            image: v.optional(v.string()),
            ports: v.optional(v.array(v.string())),
            network_mode: v.optional(v.string()),
            networks: v.optional(v.array(v.string())),
            command: v.optional(v.array(v.string())),
          }),
        ),
        networks: v.looseObject({ enclaves: v.strictObject({ internal: v.literal(true) }) }),
      }),
      readComposeFile('enclave-worker/deploy/nebius/machine/docker-compose.yml'),
    );
    const { services } = machine;
    expect(Object.keys(services).toSorted()).toEqual(['caddy', 'fetch', 'model', 'worker']);
    expect(Object.entries(services).flatMap(([name, { ports }]) => (ports === undefined ? [] : [name]))).toEqual([
      'caddy',
    ]);
    expect(services['model']?.network_mode).toBe('service:worker');
    expect(services['worker']?.networks).toEqual(['enclaves']);
    const project = v.parse(
      v.looseObject({
        services: v.record(
          v.string(),
          v.looseObject({ image: v.optional(v.string()), command: v.optional(v.array(v.string())) }),
        ),
      }),
      readComposeFile('docker-compose.yml'),
    );
    expect(services['model']?.image).toBe(project.services['model-gpu']?.image);
    const flags = (command: readonly string[] | undefined) => command?.map((flag) => flag.split('=')[0]);
    expect(flags(services['model']?.command)).toEqual(flags(project.services['model-gpu']?.command));
  });
});

/** python-hcl2 may keep the quotes of labels. */
function bare(label: string): string {
  return label.replaceAll('"', '');
}
