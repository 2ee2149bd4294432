import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBuildIdentity } from '../../../client/build/build-identity.ts';
import { readClientPolicy } from '../../../client/build/client-policy.ts';
import { developmentPolicy } from '../../parts/evidence/development-policy.ts';
import { projectRoot } from '../../parts/machine/python-environment.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeTemporaryFolder('policy-build');
});
afterAll(() => folder.remove());

let files = 0;
function fileWith(policy: unknown): string {
  files += 1;
  const path = join(folder.path, `policy-${files}.json`);
  writeFileSync(path, typeof policy === 'string' ? policy : JSON.stringify(policy));
  return path;
}

const complaintAbout = (policy: unknown): string => {
  const path = fileWith(policy);
  try {
    readClientPolicy(path);
  } catch (error) {
    return (error as Error).message.replace(path, 'FILE');
  }
  return 'accepted';
};

describe('readClientPolicy', () => {
  test('takes a whole policy, and without a name the one of the client', () => {
    expect(readClientPolicy(fileWith(developmentPolicy))).toEqual(developmentPolicy);
    expect(readClientPolicy('')).toEqual(readClientPolicy(join(import.meta.dirname, '../../../client/policy.json')));
  });

  test.each(Object.keys(developmentPolicy))('says that "%s" is missing: it never means "anything"', (field) => {
    const without = Object.fromEntries(Object.entries(developmentPolicy).filter(([name]) => name !== field));
    expect(complaintAbout(without)).toMatch(new RegExp(`^The client's policy FILE lacks the field "${field}"`));
  });

  test.each([
    [{ ...developmentPolicy, allowUnverified: true }, 'has a field "allowUnverified" that no policy has.'],
    [{ ...developmentPolicy, format: 1 }, 'has a value in "format" that does not fit there.'],
    [{ ...developmentPolicy, allowedKinds: [] }, 'has a value in "allowedKinds" that does not fit there.'],
    [{ ...developmentPolicy, minimum: 'none' }, 'has a value in "minimum" that does not fit there.'],
    [{ ...developmentPolicy, allowedKinds: ['sev-snp'] }, 'allows the kind "sev-snp" and says nothing about it'],
    [7, 'has to be a JSON object.'],
    ['{', 'is not JSON.'],
  ])('refuses %j with a sentence that one can act on', (policy, text) => {
    expect(complaintAbout(policy)).toContain(text);
  });

  test('a file that is not there is named, with what to do', () => {
    expect(() => readClientPolicy(join(folder.path, 'nowhere.json'))).toThrow('name a file with CLIENT_POLICY');
  });
});

test('another policy is another build, the same policy in another file the same', () => {
  const buildWith = (path: string | undefined) => {
    const before = process.env['CLIENT_POLICY'];
    if (path === undefined) delete process.env['CLIENT_POLICY'];
    else process.env['CLIENT_POLICY'] = path;
    try {
      return readBuildIdentity().build;
    } finally {
      if (before === undefined) delete process.env['CLIENT_POLICY'];
      else process.env['CLIENT_POLICY'] = before;
    }
  };
  const own = readClientPolicy('');
  expect(buildWith(fileWith(JSON.stringify(own, null, 4)))).toBe(buildWith(undefined));
  expect(buildWith(fileWith({ ...own, minimum: 'hardware' }))).not.toBe(buildWith(undefined));
});

function buildWith(environment: Readonly<Record<string, string>>, cwd = projectRoot) {
  const { CLIENT_POLICY: _, ...rest } = process.env;
  const options = { cwd, env: { ...rest, ...environment }, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync(process.execPath, [join(projectRoot, 'client/build.ts')], options);
  return { status, stderr };
}

const withoutKinds = { status: 1, stderr: expect.stringContaining('lacks the field "allowedKinds"') };

test('a build with an incomplete policy does not take place', () => {
  expect(buildWith({ CLIENT_POLICY: fileWith({ format: 3 }) })).toEqual(withoutKinds);
});

test('a build reads CLIENT_POLICY out of the .env of its folder, as Compose and `npm start` do', () => {
  writeFileSync(join(folder.path, '.env'), `CLIENT_POLICY='${fileWith({ format: 3 })}'\n`);
  expect(buildWith({}, folder.path)).toEqual(withoutKinds);
  writeFileSync(join(folder.path, '.env'), `CLIENT_POLCY='${fileWith({ format: 3 })}'\n`);
  expect(buildWith({}, folder.path).stderr).toContain('did you mean CLIENT_POLICY?');
});

test('a slip in the name of CLIENT_POLICY builds no client with another policy', () => {
  expect(buildWith({ CLIENT_POLCY: fileWith(developmentPolicy) })).toEqual({
    status: 1,
    stderr: 'There is no setting CLIENT_POLCY; did you mean CLIENT_POLICY?\n',
  });
});
