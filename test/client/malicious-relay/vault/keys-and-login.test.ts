/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-call, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-return, vitest/expect-expect, vitest/no-conditional-expect
   -- what a lying relay says has no type; expectEnclaveRefused asserts. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import type { Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';
import {
  answerInstead,
  changeJson,
  changeRequest,
  flip,
  pathOf,
  storeConversation,
} from '../../../parts/relay/tamper.ts';
import type { SignedUpPerson } from '../../../parts/users/person.ts';

let lab: DeviceLab;
let person: SignedUpPerson;
let stranger: SignedUpPerson;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  person = (await lab.signUp()).person;
  stranger = (await lab.signUp()).person;
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A fresh browser signs in through a relay that lies, then through one that does not. */
async function signInThrough(intercept: Interceptor, who = person) {
  const profile = lab.profile();
  const tab = await profile.openTab();
  profile.intercept = intercept;
  const refused = await tab.refusal(tab.vault.signIn(who));
  expect(tab.status).toBe('signed-out');
  const paths = profile.requests.map(({ path }) => path);
  profile.intercept = null;
  await tab.vault.signIn(who);
  expect(tab.status).toBe('unlocked');
  return { code: refused.code, paths };
}

/** Keys as the relay released them at this moment. */
async function releasedKeys(who: SignedUpPerson): Promise<unknown> {
  const profile = lab.profile();
  let keys: unknown = null;
  profile.intercept = changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
    keys = structuredClone(answer.keys);
  });
  await lab.signIn(who, profile);
  return keys;
}

describe('M5 another OPAQUE server key', () => {
  it('at sign-in: the login does not finish, and nothing is sent that would help to guess the password', async () => {
    await using impostor = await DeviceLab.open({ worker: false });
    const start: Interceptor = async (request, next) =>
      pathOf(request) === '/v1/sign-in/start'
        ? fetch(`${impostor.origin}/v1/sign-in/start`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
            body: await request.text(),
          })
        : next(request);
    const { code, paths } = await signInThrough(start);
    expect(code).toBe('sign-in-failed');
    expect(paths.filter((path) => path === '/v1/sign-in/finish')).toEqual([]);
  });
});

describe('M6 weaker stretching', () => {
  it.each(['argon2id-1kib-1', 'identity', ''])(
    'named at sign-in as %j is refused before the password is used',
    async (weaker) => {
      const { code, paths } = await signInThrough(
        changeJson(/^\/v1\/sign-in\/start$/, (answer) => ({ ...answer, stretching: weaker })),
      );
      expect(code).toBe('malformed-answer');
      expect(paths).not.toContain('/v1/sign-in/finish');
    },
  );

  it('cannot be asked for at registration: the client names its newest by itself', async () => {
    const profile = lab.profile();
    await lab.signUp(profile);
    const finish = profile.requests.find(({ path }) => path === '/v1/sign-up/finish');
    expect(JSON.parse(finish?.body ?? '{}')).toMatchObject({ stretching: 'argon2id-64mib-3' });
    const offering = lab.profile();
    const offered = await offering.openTab();
    const weaker = { userName: 'weakly-stretched', password: 'Quiet harbour lantern 1!' };
    offering.intercept = changeJson(/^\/v1\/sign-up\/start$/, (answer) => ({ ...answer, stretching: 'identity' }));
    expect(await offered.refusal(offered.vault.beginSignUp(weaker))).toEqual({ code: 'malformed-answer' });
    expect(offered.status).toBe('signed-out');
    expect(offering.requests.map(({ path }) => path)).not.toContain('/v1/sign-up/finish');
    offering.intercept = null;
    await offered.vault.beginSignUp(weaker);
    await offered.vault.finishSignUp();
    expect(offered.status).toBe('unlocked');
  });
});

describe('M7 the OPAQUE record of another account', () => {
  it('does not sign in', async () => {
    const profile = lab.profile();
    let tag = '';
    profile.intercept = changeRequest(/^\/v1\/sign-in\/start$/, (body) => {
      tag = body.nameTag;
    });
    await lab.signIn(stranger, profile);
    const { code } = await signInThrough(
      changeRequest(/^\/v1\/sign-in\/start$/, (body) => {
        body.nameTag = tag;
      }),
    );
    expect(code).toBe('sign-in-failed');
  });
});

describe('M8 an old or foreign keyslot', () => {
  it('a keyslot of another account does not open', async () => {
    const foreign = (await releasedKeys(stranger)) as { keyslot: unknown };
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        answer.keys.keyslot = foreign.keyslot;
      }),
    );
    expect(code).toBe('vault-tampered');
  });

  it.each(['keyslotList', 'head'])("with another account's %s is refused", async (part) => {
    const foreign = (await releasedKeys(stranger)) as Record<string, unknown>;
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        answer.keys[part] = foreign[part];
      }),
    );
    expect(code).toBe('vault-tampered');
  });

  it('from before a password change: neither the slot nor the list of that time passes', async () => {
    const { person: changing, tab } = await lab.signUp();
    const old = (await releasedKeys(changing)) as { keyslot: unknown; keyslotList: unknown; head: unknown };
    const password = 'An entirely new lighthouse 81!';
    await tab.vault.changePassword({ newPassword: password, proof: proofOf(changing) });
    const now = { ...changing, password };
    const withOld = (...parts: (keyof typeof old)[]) =>
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        for (const part of parts) answer.keys[part] = old[part];
      });
    expect((await signInThrough(withOld('keyslot'), now)).code).toBe('vault-tampered');
    expect((await signInThrough(withOld('keyslotList'), now)).code).toBe('vault-tampered');
    expect((await signInThrough(withOld('keyslotList', 'head'), now)).code).toBe('vault-tampered');
    expect((await signInThrough(withOld('keyslot', 'keyslotList', 'head'), now)).code).toBe('vault-tampered');
  });

  it('an old but whole set of keys is noticed by a device that has seen a newer head', async () => {
    const { person: known, profile, tab } = await lab.signUp();
    const old = await releasedKeys(known);
    await storeConversation(tab, 'Newer than the keys.');
    await tab.vault.lock();
    const later = await profile.openTab();
    profile.intercept = changeJson(/^\/v1\/(sign-in\/finish|items)$/, (answer, request) => {
      if (pathOf(request) === '/v1/items') {
        return { ...answer, items: [], head: (old as { head: unknown }).head, more: false };
      }
      answer.keys = old;
      return undefined;
    });
    expect(await later.refusal(later.vault.unlock(known))).toEqual({ code: 'vault-rolled-back' });
    profile.intercept = null;
    await later.vault.unlock(known);
    await later.until(() => later.titles().includes('Newer than the keys.'));
    expect(later.alarms).toEqual([]);
  });
});

describe('M9 a keyslot slipped in', () => {
  it('into the list at sign-in is refused', async () => {
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        const list = fromBase64Url(answer.keys.keyslotList.body);
        // One entry more than the account's own, with a body that the attacker can open.
        const forged = new Uint8Array(list.length + 53);
        forged.set(list);
        forged[6] = (list[6] ?? 0) + 1;
        answer.keys.keyslotList.body = toBase64Url(forged);
      }),
    );
    expect(code).toBe('vault-tampered');
  });

  it('or changed in place is refused', async () => {
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        answer.keys.keyslotList.body = flip(answer.keys.keyslotList.body, 40);
      }),
    );
    expect(code).toBe('vault-tampered');
  });

  it('is not taken over into the list that a password change writes', async () => {
    const { person: own, profile, tab } = await lab.signUp();
    profile.intercept = changeJson(/^\/v1\/keys$/, (answer) => {
      answer.keyslotList.body = flip(answer.keyslotList.body, 40);
    });
    const newPassword = 'An entirely new lighthouse 82!';
    expect(await tab.refusal(tab.vault.changePassword({ newPassword, proof: proofOf(own) }))).toEqual({
      code: 'vault-tampered',
    });
    expect(profile.requests.some(({ path }) => path === '/v1/password/finish')).toBe(false);
    profile.intercept = null;
    await tab.vault.changePassword({ newPassword, proof: proofOf(own) });
  });

  it('by a list of its own from before, which a password change would bring back, is refused', async () => {
    const { person: own, profile, tab } = await lab.signUp();
    const [first, second] = ['An entirely new lighthouse 84!', 'An entirely new lighthouse 85!'] as const;
    let older: unknown;
    profile.intercept = changeJson(/^\/v1\/keys$/, (answer) => {
      older ??= structuredClone(answer.keyslotList);
      answer.keyslotList = older;
    });
    await tab.vault.changePassword({ newPassword: first, proof: proofOf(own) });
    const sent = () => profile.requests.filter(({ path }) => path === '/v1/password/finish').length;
    const proof = proofOf({ password: first });
    expect(await tab.refusal(tab.vault.changePassword({ newPassword: second, proof }))).toEqual({
      code: 'vault-tampered',
    });
    expect(sent()).toBe(1);
    profile.intercept = null;
    await tab.vault.changePassword({ newPassword: second, proof });
    expect(sent()).toBe(2);
  });

  it('a keyslot of another kind than the shown factor is refused', async () => {
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        answer.keys.keyslot.kind = 'recovery';
      }),
    );
    expect(code).toBe('vault-tampered');
  });
});

describe('M11 an older version, suite or format', () => {
  const withByte = (part: 'keyslot' | 'keyslotList' | 'head', place: number) =>
    changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
      const body = fromBase64Url(answer.keys[part].body);
      body[place] = 0;
      answer.keys[part].body = toBase64Url(body);
    });

  it.each(['keyslot', 'keyslotList', 'head'] as const)(
    'an older version, suite or format of the %s is refused',
    async (part) => {
      expect((await signInThrough(withByte(part, 0))).code).toBe('other-version');
      expect((await signInThrough(withByte(part, 1))).code).toBe('other-version');
    },
  );

  it.each([0, 2, '1', null])('format %j of a message is refused', async (format) => {
    const { code } = await signInThrough(changeJson(/^\/v1\/sign-in\/start$/, (answer) => ({ ...answer, format })));
    expect(code).toBe('malformed-answer');
  });
});

describe('M44 a session that would last for ever', () => {
  it('is refused: lifetimes have a ceiling', async () => {
    const { code } = await signInThrough(
      changeJson(/^\/v1\/sign-in\/finish$/, (answer) => {
        answer.session.lifetimeMs = 1e12;
      }),
    );
    expect(code).toBe('malformed-answer');
  });
});

describe('the secret that opens the vault', () => {
  it.each([
    [/^\/v1\/sign-in\/finish$/, 'ExportKey'],
    [/^\/v1\/recovery\/start$/, 'RecoveryEntropy'],
    [/^\/v1\/recovery\/finish$/, 'RecoveryEntropy'],
  ])('is wiped also where the relay gives no answer to %s', async (path, name) => {
    const wiped: string[] = [];
    const wipe = vi.spyOn(Secret.prototype, 'wipe').mockImplementation(function note(this: Secret<string>) {
      wiped.push(this.secretName);
    });
    onTestFinished(() => wipe.mockRestore());
    const profile = lab.profile();
    profile.intercept = answerInstead(path, () => Promise.reject(new TypeError('Failed to fetch')));
    const tab = await profile.openTab();
    const { userName, recoveryWords } = person;
    const signIn =
      name === 'ExportKey'
        ? tab.vault.signIn(person)
        : tab.vault.signIn({ by: 'phrase', userName, words: recoveryWords.join(' ') });
    expect(await tab.refusal(signIn)).toMatchObject({ code: 'relay-unreachable' });
    expect(wiped).toContain(name);
  });
});
