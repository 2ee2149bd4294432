import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Factor } from '../../../../../client/vault/session/factors/factor.ts';
import {
  listFactors,
  type OwnProof,
  type SignInGiven,
  takerOf,
  type UnlockGiven,
} from '../../../../../client/vault/session/factors/factors.ts';
import { password } from '../../../../../client/vault/session/factors/password.ts';
import { recovery } from '../../../../../client/vault/session/factors/recovery.ts';
import type { SignInAnswer, StepUpStartAnswer } from '../../../../../crypto/protocol/messages/account-messages.ts';
import type { BrowserProfile } from '../../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../../parts/users/vaults/device-lab.ts';

type Person = Awaited<ReturnType<DeviceLab['signUp']>>['person'];
type By<Given extends { readonly by?: string }> = NonNullable<Given['by']>;

/** A person gives these by each name, their own or somebody else's: a new factor does not compile without. */
const signIns: { readonly [Name in By<SignInGiven>]: (whose: Person, userName: string) => SignInGiven } = {
  password: (whose, userName) => ({ userName, password: whose.password }),
  phrase: (whose, userName) => ({ by: 'phrase', userName, words: whose.recoveryWords.join(' ') }),
};
const unlocks: { readonly [Name in By<UnlockGiven>]: (whose: Person) => UnlockGiven } = {
  password: (whose) => ({ password: whose.password }),
};
const proofs: { readonly [Name in Exclude<By<OwnProof>, 'recent-phrase'>]: (whose: Person) => OwnProof } = {
  password: (whose) => ({ by: 'password', password: whose.password }),
  phrase: (whose) => ({ by: 'phrase', words: whose.recoveryWords.join(' ') }),
};

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

const others = (kind: string) => (kind === 'password' ? 'recovery' : 'password');

/** Changes each answer of the relay to one call, until the profile is left in peace again. */
function changeAnswers<Body>(profile: BrowserProfile, path: RegExp, change: (body: Body) => unknown): void {
  profile.intercept = async (request, next) => {
    const response = await next(request);
    if (!path.test(new URL(request.url).pathname) || !response.ok) return response;
    return new Response(JSON.stringify(change((await response.clone().json()) as Body)), response);
  };
}

describe('every factor', () => {
  it.each(Object.entries(signIns))('%s: signs its own account in, and nobody with another secret', async (_, give) => {
    const [{ person }, { person: stranger }] = [await lab.signUp(), await lab.signUp()];
    const tab = await lab.profile().openTab();
    const wrong = tab.vault.signIn(give(stranger, person.userName));
    expect(await tab.refusal(wrong)).toEqual({ code: 'sign-in-failed' });
    expect(tab.status).toBe('signed-out');
    await tab.vault.signIn(give(person, person.userName));
    expect(tab.status).toBe('unlocked');
  });

  it.each(Object.entries(signIns))(
    '%s: refuses the keyslot of another kind in the place of its own',
    async (_, give) => {
      const { person } = await lab.signUp();
      const profile = lab.profile();
      const tab = await profile.openTab();
      changeAnswers<SignInAnswer>(profile, /\/(sign-in|recovery)\/finish$/, ({ keys, ...answer }) => ({
        ...answer,
        keys: { ...keys, keyslot: { ...keys.keyslot, kind: others(keys.keyslot.kind) } },
      }));
      expect(await tab.refusal(tab.vault.signIn(give(person, person.userName)))).toEqual({ code: 'vault-tampered' });
      profile.intercept = null;
      await tab.vault.signIn(give(person, person.userName));
      expect(tab.status).toBe('unlocked');
    },
  );

  it.each(Object.entries(unlocks))(
    '%s: unlocks its own account, and nobody unlocks with another secret',
    async (_, give) => {
      const { person, profile, tab } = await lab.signUp();
      const { person: stranger } = await lab.signUp();
      await tab.vault.lock();
      const later = await profile.openTab();
      expect(await later.refusal(later.vault.unlock(give(stranger)))).toEqual({ code: 'sign-in-failed' });
      expect(later.status).toBe('locked');
      await later.vault.unlock(give(person));
      expect(later.status).toBe('unlocked');
    },
  );

  it.each(Object.entries(proofs))(
    '%s: proves anew for its own account, with no other secret, each time for one body',
    async (_, give) => {
      const { person, profile, tab } = await lab.signUp();
      const { person: stranger } = await lab.signUp();
      const newPassword = 'An entirely new lighthouse 88!';
      const wrong = tab.vault.changePassword({ newPassword, proof: give(stranger) });
      expect((await tab.refusal(wrong)).code).toMatch(/^(wrong-password|relay:proof-failed)$/);
      changeAnswers<StepUpStartAnswer>(profile, /\/step-up\/start$/, (answer) =>
        answer.factor === 'password'
          ? { format: 1, factor: 'recovery', stepUpId: answer.stepUpId, nonce: 'A'.repeat(43) }
          : { ...answer, factor: 'password', nonce: undefined, loginResponse: 'AAAA', stretching: 'argon2id-64mib-3' },
      );
      const answeredByAnother = tab.vault.changePassword({ newPassword, proof: give(person) });
      expect(await tab.refusal(answeredByAnother)).toEqual({ code: 'malformed-answer' });
      profile.intercept = null;
      await tab.vault.changePassword({ newPassword, proof: give(person) });
      const bodies = profile.requests.filter(({ path }) => path === '/v1/step-up/start').map(({ body }) => body);
      expect(new Set(bodies).size).toBe(bodies.length);
    },
  );
});

describe('listFactors', () => {
  it('puts the tables of the factors that stand together', () => {
    const { signIns: taken, unlocks: unlocking, proofs: proving } = listFactors([password, recovery]);
    expect(Object.keys(taken)).toEqual(['password', 'phrase']);
    expect(Object.keys(unlocking)).toEqual(['password']);
    expect(Object.keys(proving)).toEqual(['password', 'phrase', 'recent-phrase']);
  });

  it('refuses two factors of one kind of keyslot', () => {
    const twin: Factor = { ...recovery, keyslot: 'password' };
    expect(() => listFactors([password, twin])).toThrow('two factors of one kind of keyslot');
  });

  it.each<[string, Partial<Factor>]>([
    ['sign in', { signIns: password.signIns }],
    ['unlock', { unlocks: password.unlocks }],
    ['prove anew', { proofs: password.proofs }],
  ])('refuses two factors that %s by one name', (_, table) => {
    const twin: Factor = { keyslot: 'passkey', ...table };
    expect(() => listFactors([password, recovery, twin])).toThrow('two factors take what is given by one name');
  });

  it('takes a further factor with a kind and names of its own', () => {
    const further: Factor = { keyslot: 'passkey', signIns: { passkey: password.signIns.password } };
    expect(Object.keys(listFactors([password, recovery, further]).signIns)).toEqual(['password', 'phrase', 'passkey']);
  });
});

describe('takerOf', () => {
  it.each(['passkey', 'constructor', '__proto__', 'toString', ''])('finds nobody by the name %j', (name) => {
    expect(() => takerOf('signIns', name)).toThrow('no factor takes this');
  });

  it('finds the factor by its own name', () => {
    expect(takerOf('signIns', 'phrase')).toBe(recovery.signIns.phrase);
  });
});
