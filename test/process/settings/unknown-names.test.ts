import { describe, expect, test } from 'vitest';
import { readValues } from '../../../process/settings/read-values.ts';
import type { Setting } from '../../../process/settings/setting.ts';
import { settingNames, settingsTable } from '../../../process/settings/settings-table.ts';
import {
  complainOfNamesInFile,
  complainOfUnknownNames,
  editDistance,
} from '../../../process/settings/unknown-names.ts';

/** Two letters exchanged anywhere; in a name that is not short also one left out. */
function slipsOf(name: string): string[] {
  const slips = name.split('').flatMap((letter, index) => {
    const [before, next, after] = [name.slice(0, index), name[index + 1] ?? '', name.slice(index + 2)];
    return [before + next + letter + after, ...(name.length < 6 ? [] : [before + next + after])];
  });
  return slips.filter((slip) => settingNames.every((known) => known !== slip));
}

const complaintOf = (work: () => void): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('complainOfUnknownNames', () => {
  const judge = (environment: Record<string, string>) =>
    complaintOf(() => complainOfUnknownNames('relay', environment));

  test.each([
    ['PUBLIC_ULR', 'PUBLIC_URL'],
    ['PUBLICURL', 'PUBLIC_URL'],
    ['QUOTA_BYTE', 'QUOTA_BYTES'],
    ['SIGNUP', 'SIGN_UP'],
    ['LOG_LEVL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['TLS_CERTS', 'TLS_CERT'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['MODEL_FIEL', 'MODEL_FILE'],
    ['DRAIN_SECOND', 'DRAIN_SECONDS'],
    ['WORKER_HOTS', 'WORKER_HOST'],
    ['HOSTNAMES', 'HOST_NAMES'],
    ['CLIENT_POLCY', 'CLIENT_POLICY'],
    ['ENCLAVE_POOOL', 'ENCLAVE_POOL'],
    ['REGISTRAR_PROT', 'REGISTRAR_PORT'],
    ['EVIDENCES', 'EVIDENCE'],
    ['PROT', 'PORT'],
    ['port', 'PORT'],
    ['HSOT', 'HOST'],
    [' HOST ', 'HOST'],
    ['REGISTRAR-JWKS-CACHE-SECONDS', 'REGISTRAR_JWKS_CACHE_SECONDS'],
  ])('%s is a slip of %s, in each process', (name, right) => {
    const sentence = `There is no setting ${name}; did you mean ${right}?`;
    expect(judge({ [name]: 'x' })).toBe(sentence);
    for (const process of ['relay', 'worker', 'registrar'] as const) {
      expect(complaintOf(() => readValues(process, { [name]: 'x' }))).toBe(sentence);
    }
    expect(judge({ [right]: 'x' })).toBe('accepted');
  });

  test('every name of a process with a letter left out or two exchanged is a slip of it', () => {
    const names = settingNames.filter((name) => (settingsTable[name] as Setting).who.some((who) => who !== 'compose'));
    expect(names.length).toBeGreaterThan(60);
    for (const name of names) {
      for (const slip of slipsOf(name)) expect([slip, judge({ [slip]: 'x' })]).not.toEqual([slip, 'accepted']);
    }
  });

  test("other people's variables are none of ours", () => {
    const others = [
      'PATH HOME HOSTNAME HOSTTYPE LANG LOGNAME MAIL SHELL SHLVL TERM USER PWD OLDPWD PORTS POST',
      'HTTP_PROXY NO_PROXY NODE_ENV NODE_OPTIONS SSL_CERT_FILE SSL_CERT_DIR TZ DEBUG npm_config_cache',
      'npm_lifecycle_event npm_package_name INIT_CWD EDITOR COLORTERM XDG_DATA_HOME DATABASE_HOST',
      'DATABASE_USER DATABASE_NAME DATABASE_PORT PGHOST PGDATABASE POSTGRES_USER',
      'KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP RELAY_PORT_8787_TCP AWS_REGION CI GITHUB_TOKEN',
      'MODAL_TOKEN_ID MODAL_TOKEN_SECRET MODAL_TASK_ID MODELS MODEL_NAME GPU_COUNTS HF_HOME ENGINE_ID',
    ].flatMap((line) => line.split(' '));
    for (const name of others) expect([name, judge({ [name]: 'x' })]).toEqual([name, 'accepted']);
  });

  test('in a container of Modal, which names what it likes with MODAL_, worker and registrar start', () => {
    const container = { MODAL_CONTAINER_ARGUMENTS_PATH: 'x', MODAL_SERVER_ULR: 'x', MODAL_TASK_ID: 'ta-1' };
    expect(complaintOf(() => complainOfUnknownNames('worker', container))).toBe('accepted');
    const { MODAL_SERVER_ULR: _slip, ...others } = container;
    expect(complaintOf(() => complainOfUnknownNames('registrar', others))).toBe('accepted');
    expect(judge(others)).toContain('There is no setting MODAL_CONTAINER_ARGUMENTS_PATH');
    const slip = () => complainOfUnknownNames('registrar', { MODAL_FUNCTOIN_ID: 'fu-1' });
    expect(complaintOf(slip)).toContain('did you mean MODAL_FUNCTION_ID?');
  });

  test('complainOfUnknownNames: passes over the names that Kubernetes sets for a service, whatever its name', () => {
    const links = {
      REGISTRAR_SERVICE_HOST: '10.0.0.7',
      REGISTRAR_SERVICE_PORT_HTTPS: '443',
      ENCLAVE_PORT: 'tcp://10.0.0.8:8788',
      ENCLAVE_PORT_8788_TCP_ADDR: '10.0.0.8',
    };
    expect(judge(links)).toBe('accepted');
    expect(judge({ ENCLAVE_PORT: '8788' })).toContain('There is no setting ENCLAVE_PORT');
  });

  test('a name near to one that is set is somebody else’s, and an empty one is as good as none', () => {
    expect(judge({ DATABASE_URI: 'x', DATABASE_URL: 'y' })).toBe('accepted');
    expect(judge({ DATABASE_URI: 'x', DATABASE_URL: '' })).toContain('did you mean DATABASE_URL?');
    expect(judge({ DATABASE_URI: '' })).toBe('accepted');
    // With one of our own beginnings it is a mistake all the same.
    expect(judge({ ENCLAVE_URL: 'x', ENCLAVE_URLS: 'y' })).toContain('did you mean ENCLAVE_URLS?');
  });

  test('every setting of every process is known to each of them', () => {
    for (const name of settingNames) expect([name, judge({ [name]: 'x' })]).toEqual([name, 'accepted']);
  });

  test('the environment of these tests passes', () => {
    expect(complaintOf(() => complainOfUnknownNames('relay', process.env))).toBe('accepted');
  });
});

test('complainOfNamesInFile: every name of an .env is ours, but for those that other programs read there', () => {
  const judge = (...names: string[]) => complaintOf(() => complainOfNamesInFile(names));
  expect(judge('PROT')).toBe('The file .env sets PROT, and there is no such setting; did you mean PORT?');
  expect(judge('PORT', 'POSTGRES_PASSWRD')).toContain('did you mean POSTGRES_PASSWORD?');
  expect(judge('MY_OWN')).toContain('The file .env sets MY_OWN');
  expect(judge(...settingNames)).toBe('accepted');
  for (const name of settingNames) {
    for (const slip of slipsOf(name)) expect([slip, judge(slip)]).not.toEqual([slip, 'accepted']);
  }
  const others = [
    'COMPOSE_PROFILES',
    'COMPOSE_PROJECT_NAME',
    'DOCKER_HOST',
    'NODE_EXTRA_CA_CERTS',
    'HTTPS_PROXY',
    'https_proxy',
  ];
  expect(judge(...others, 'TZ', 'LANG', 'LC_ALL', 'PGSSLROOTCERT', 'SOTTO_GPU', 'MODAL_TOKEN_ID')).toBe('accepted');
});

test('editDistance: letters to add, drop, change, or exchange with their neighbour', () => {
  const cases = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['abc', 'ab', 1],
    ['abc', 'axc', 1],
    ['abc', 'acb', 1],
    ['abcd', 'badc', 2],
    ['PORT', 'HOST', 2],
    ['kitten', 'sitting', 3],
  ] as const;
  for (const [from, to, distance] of cases) {
    expect([from, to, editDistance(from, to), editDistance(to, from)]).toEqual([from, to, distance, distance]);
  }
});
