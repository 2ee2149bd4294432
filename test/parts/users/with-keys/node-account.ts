import { deriveKeyslotListKey, generateAccountId, generateAccountKey } from '../../../../crypto/account/account-key.ts';
import { deriveKeyEncryptionKey, unwrapAccountKey, wrapAccountKey } from '../../../../crypto/account/keyslot.ts';
import { digestKeyslot, digestKeyslotList, encodeKeyslotList } from '../../../../crypto/account/keyslot-list.ts';
import { createKeyring, type Keyring } from '../../../../crypto/account/keyring.ts';
import { deriveNameTag } from '../../../../crypto/account/name-tag.ts';
import {
  finishLogin,
  finishRegistration,
  opaqueReady,
  startLogin,
  startRegistration,
} from '../../../../crypto/account/opaque-client.ts';
import { deriveRecoverySigningKeys, generateRecoveryPhrase } from '../../../../crypto/account/recovery-phrase.ts';
import type {
  SessionAnswer,
  SignInAnswer,
  SignInStartAnswer,
  SignUpStartAnswer,
} from '../../../../crypto/protocol/messages/account-messages.ts';
import { stretchingProfiles } from '../../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sodiumReady } from '../../../../crypto/primitives/sodium.ts';
import { MerkleTree } from '../../../../crypto/protocol/merkle-tree.ts';
import { hashHead, type HeadMark, noHeadHash, sealHead } from '../../../../crypto/vault/vault-head.ts';
import type { NodeRelay } from './node-relay.ts';

/** A device has this after sign-up or sign-in. */
export type NodeAccount = {
  readonly keyring: Keyring;
  readonly keyslotListDigest: Bytes;
  readonly head: HeadMark;
};

const stretching = stretchingProfiles[stretchingProfiles.length - 1] ?? 'argon2id-64mib-3';

export async function cryptoReady(): Promise<void> {
  await Promise.all([opaqueReady(), sodiumReady()]);
}

/**
 * Signs up as the client does, with both keyslots, and leaves the session's token at the relay's handle.
 *
 * @param keyslotVersion - 1: as clients wrote before version 2.
 */
export async function signUp(
  relay: NodeRelay,
  name: string,
  password: string,
  keyslotVersion: 1 | 2 = 2,
): Promise<NodeAccount> {
  const nameTag = deriveNameTag(name);
  const start = startRegistration(password);
  const offered = await relay.expect<SignUpStartAnswer>(200, 'POST', '/v1/sign-up/start', {
    format: 1,
    nameTag: toBase64Url(nameTag),
    registrationRequest: start.request,
  });
  const registration = finishRegistration({
    password,
    state: start.state,
    response: offered.registrationResponse,
    stretching,
  });
  const { entropy } = generateRecoveryPhrase();
  const accountId = generateAccountId();
  const accountKey = generateAccountKey();
  const keyring = createKeyring({ accountId, epoch: 1, accountKey });
  const secrets = [
    { kind: 'password', keyEncryptionKey: deriveKeyEncryptionKey('password', registration.exportKey) },
    { kind: 'recovery', keyEncryptionKey: deriveKeyEncryptionKey('recovery', entropy) },
  ] as const;
  const slots = secrets.map(({ kind, keyEncryptionKey }) => {
    const slotId = randomBytes(16);
    const { serverStaticPublicKey } = registration;
    const place = { kind, slotId, generation: 1, stretching: kind === 'password' ? stretching : null };
    const keys = { epoch: 1, serverStaticPublicKey, keyEncryptionKey, accountId, accountKey };
    return {
      kind,
      slotId,
      generation: 1,
      body: wrapAccountKey({ ...place, ...keys, nameTag: keyslotVersion === 1 ? null : nameTag }),
    };
  });
  const listKey = deriveKeyslotListKey({ accountId, accountKey });
  const listed = slots.map((slot) => ({ ...slot, digest: digestKeyslot(slot.body) }));
  const keyslotList = encodeKeyslotList({ listKey, epoch: 1, slots: listed });
  const keyslotListDigest = digestKeyslotList(keyslotList);
  const itemsRoot = new MerkleTree().root();
  const body = sealHead({
    keyring,
    head: { counter: 1, previousHash: noHeadHash, itemsRoot, keyslotListDigest, prunedBefore: 0 },
  });
  const session = await relay.expect<SessionAnswer>(200, 'POST', '/v1/sign-up/finish', {
    format: 1,
    signUpToken: offered.signUpToken,
    registrationRecord: registration.record,
    stretching,
    keyslots: slots.map((slot) => ({ ...slot, slotId: toBase64Url(slot.slotId), body: toBase64Url(slot.body) })),
    keyslotList: { body: toBase64Url(keyslotList) },
    recoveryPublicKey: toBase64Url(deriveRecoverySigningKeys(entropy).publicKey),
    head: { counter: 1, body: toBase64Url(body) },
  });
  relay.accessToken = session.accessToken;
  return { keyring, keyslotListDigest, head: { counter: 1, hash: hashHead(body) } };
}

/** Signs in by password and opens the keyslot. */
export async function signIn(relay: NodeRelay, name: string, password: string): Promise<NodeAccount> {
  const start = startLogin(password);
  const offered = await relay.expect<SignInStartAnswer>(200, 'POST', '/v1/sign-in/start', {
    format: 1,
    nameTag: toBase64Url(deriveNameTag(name)),
    loginRequest: start.request,
  });
  const login = finishLogin({ password, state: start.state, response: offered.loginResponse, stretching });
  if (login === null) throw new Error('The password is wrong.');
  const { session, keys } = await relay.expect<SignInAnswer>(200, 'POST', '/v1/sign-in/finish', {
    format: 1,
    loginId: offered.loginId,
    loginFinish: login.finish,
  });
  relay.accessToken = session.accessToken;
  const { accountId, accountKey, epoch } = unwrapAccountKey({
    kind: 'password',
    nameTag: deriveNameTag(name),
    slotId: fromBase64Url(keys.keyslot.slotId),
    generation: keys.keyslot.generation,
    stretching,
    serverStaticPublicKey: login.serverStaticPublicKey,
    keyEncryptionKey: deriveKeyEncryptionKey('password', login.exportKey),
    body: fromBase64Url(keys.keyslot.body),
  });
  return {
    keyring: createKeyring({ accountId, epoch, accountKey }),
    keyslotListDigest: digestKeyslotList(fromBase64Url(keys.keyslotList.body)),
    head: { counter: keys.head.counter, hash: hashHead(fromBase64Url(keys.head.body)) },
  };
}
