import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveNameTag } from '../../../../crypto/account/name-tag.ts';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { changeRequest } from '../../../parts/relay/tamper.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { inventPerson } from '../../../parts/users/person.ts';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';
import { cryptoReady, signUp } from '../../../parts/users/with-keys/node-account.ts';
import { NodeRelay } from '../../../parts/users/with-keys/node-relay.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  await cryptoReady();
});
afterAll(() => lab[Symbol.asyncDispose]());

const newPassword = 'An entirely new lighthouse 81!';

/** Versions of the keyslots that this browser gave to the relay. */
function versionsSent({ requests }: BrowserProfile): number[] {
  return requests.flatMap(({ path, body }) => {
    if (path !== '/v1/sign-up/finish' && path !== '/v1/password/finish') return [];
    const sent = JSON.parse(body ?? '{}') as { keyslots?: { body: string }[]; keyslot?: { body: string } };
    const slots = sent.keyslots ?? (sent.keyslot === undefined ? [] : [sent.keyslot]);
    return slots.map((slot) => fromBase64Url(slot.body)[0] ?? 0);
  });
}

describe('the account of another name', () => {
  it('M5: is not opened by who has the same password and types an own name', async () => {
    const stranger = await lab.signUp();
    const own = { ...inventPerson(), password: stranger.person.password };
    const first = await lab.profile().openTab();
    await first.vault.beginSignUp(own);
    await first.vault.finishSignUp();
    const profile = lab.profile();
    const tab = await profile.openTab();
    profile.intercept = changeRequest(/^\/v1\/sign-in\/start$/, (body: { nameTag: string }) => {
      body.nameTag = toBase64Url(deriveNameTag(stranger.person.userName));
    });
    expect(await tab.refusal(tab.vault.signIn(own))).toEqual({ code: 'vault-tampered' });
    expect(tab.status).toBe('signed-out');
    profile.intercept = null;
    await tab.vault.signIn(own);
    expect(tab.status).toBe('unlocked');
  });
});

describe('keyslots', () => {
  it('are written as version 2 at sign-up and by a password change, also after an unlock that asks for no name', async () => {
    const { person, profile, tab } = await lab.signUp();
    expect(versionsSent(profile)).toEqual([2, 2]);
    await tab.vault.lock();
    const unlocked = await profile.openTab();
    await unlocked.vault.unlock(person);
    await unlocked.vault.changePassword({ newPassword, proof: proofOf(person) });
    expect(versionsSent(profile)).toEqual([2, 2, 2]);
  });

  it('keyslots of version 1 open, and a password change with the typed name writes version 2', async () => {
    const person = inventPerson();
    await signUp(new NodeRelay(lab.origin), person.userName, person.password, 1);
    const profile = lab.profile();
    const tab = await profile.openTab();
    await tab.vault.signIn(person);
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    expect(versionsSent(profile)).toEqual([2]);
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });
});
