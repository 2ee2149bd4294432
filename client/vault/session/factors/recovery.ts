import { deriveKeyEncryptionKey } from '../../../../crypto/account/keyslot.ts';
import { deriveNameTag } from '../../../../crypto/account/name-tag.ts';
import {
  deriveRecoverySigningKeys,
  findUnknownWords,
  generateRecoveryPhrase,
  parseRecoveryPhrase,
  type RecoverySigningKeys,
} from '../../../../crypto/account/recovery-phrase.ts';
import type { StepUpProof } from '../../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import type { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { VaultError } from '../../failures/vault-error.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import { openKeyMaterial, type SignedIn } from '../keys/key-material.ts';
import type { KeyslotKey } from '../keys/make-keyslot.ts';
import { type Act, factor, type FactorDependencies } from './factor.ts';

type PhraseSignIn = { readonly by: 'phrase'; readonly userName: string; readonly words: string };
type PhraseProof = { readonly by: 'phrase'; readonly words: string };
/** The phrase that this tab was signed in by, some minutes ago. */
type RecentPhraseProof = { readonly by: 'recent-phrase' };

/** The recovery phrase (SPEC.md §3.4): one key of it signs, another opens the keyslot. */
export const recovery = factor({
  keyslot: 'recovery',
  signIns: {
    phrase: async (dependencies, given: PhraseSignIn) => {
      const nameTag = deriveNameTag(given.userName);
      const entropy = readPhrase(given.words);
      return recover(dependencies, nameTag, entropy).finally(() => entropy.wipe());
    },
  },
  proofs: {
    phrase: async ({ client }, given: PhraseProof) => {
      const entropy = readPhrase(given.words);
      const keys = deriveRecoverySigningKeys(entropy);
      entropy.wipe();
      return { prove: (asked) => prove(client, asked, keys), end: () => keys.wipe() };
    },
    'recent-phrase': async ({ client, recentPhrase }, _given: RecentPhraseProof) => {
      const { keys } = recentPhrase;
      if (keys === null) throw new VaultError('proof-needed');
      // They are wiped by who keeps them, when their time is over.
      return { prove: (asked) => prove(client, asked, keys), end: () => undefined };
    },
  },
});

/** @throws {VaultError} `invalid-phrase`, with the words that are in no phrase. */
function readPhrase(words: string): Secret<'RecoveryEntropy'> {
  try {
    return parseRecoveryPhrase(words);
  } catch (error) {
    throw error instanceof CryptoError ? new VaultError('invalid-phrase', null, findUnknownWords(words)) : error;
  }
}

async function recover(
  { client, recentPhrase }: FactorDependencies,
  nameTag: Bytes,
  entropy: Secret<'RecoveryEntropy'>,
): Promise<SignedIn> {
  const ready = aeadReady();
  ready.catch(() => undefined);
  const challenge = await client.startRecovery({ format: 1, nameTag: toBase64Url(nameTag) });
  const signing = deriveRecoverySigningKeys(entropy);
  recentPhrase.keep(signing);
  const signature: Bytes = signing.sign({
    challenge: fromBase64Url(challenge.challenge),
    nameTag,
    issuedAtMs: challenge.issuedAtMs,
  });
  const { session, keys } = await client.finishRecovery({
    format: 1,
    challengeId: challenge.challengeId,
    signature: toBase64Url(signature),
  });
  await ready;
  const { head, ...known } = openKeyMaterial(keys, { ...keyOf(entropy), serverStaticPublicKey: null, nameTag });
  return { session, account: { ...known, needsNewPassword: true }, head };
}

async function prove(client: RelayClient, { act, bodyDigest }: Act, keys: RecoverySigningKeys): Promise<StepUpProof> {
  const answer = await client.startStepUp({
    format: 1,
    factor: 'recovery',
    act,
    bodyDigest: toBase64Url(bodyDigest),
  });
  if (answer.factor !== 'recovery') throw new RelayCallError('malformed-answer');
  const signature = keys.signStepUp({ act, nonce: fromBase64Url(answer.nonce), bodyDigest });
  return { factor: 'recovery', stepUpId: answer.stepUpId, signature: toBase64Url(signature) };
}

/** Draws a new phrase, the public key that the relay checks it by, and the key of its keyslot. */
export function drawPhrase() {
  const { words, entropy } = generateRecoveryPhrase();
  const signing = deriveRecoverySigningKeys(entropy);
  const drawn = { words, publicKey: signing.publicKey, key: keyOf(entropy) };
  for (const secret of [signing, entropy]) secret.wipe();
  return drawn;
}

function keyOf(entropy: Secret<'RecoveryEntropy'>): KeyslotKey {
  return { kind: recovery.keyslot, keyEncryptionKey: deriveKeyEncryptionKey('recovery', entropy), stretching: null };
}
