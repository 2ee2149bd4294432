import { deriveKeyslotListKey } from '../../../crypto/account/account-key.ts';
import { accountKeyOf } from '../../../crypto/account/keyring.ts';
import { digestKeyslotList } from '../../../crypto/account/keyslot-list.ts';
import { deriveNameTag } from '../../../crypto/account/name-tag.ts';
import { encodeSealedHeader } from '../../../crypto/primitives/sealed-header.ts';
import { concat, fromHex, toHex, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { hmacSha256, labelled } from '../../../crypto/protocol/bytes/hash.ts';
import { makeKeyslotListVectors, makeKeyslotVectors } from './sotto-v1/account-vectors.ts';
import { seededBytes, vectorKeyring } from './given/seeded-values.ts';
import { withDeterministicRandom } from './given/deterministic-random.ts';

/** A list of one slot that only the account can have written, whatever its kind byte. */
function listOfKind(listKey: Uint8Array, kind: number) {
  const slot = concat(seededBytes('kind slot', 16), Uint8Array.of(kind), uint32(1), seededBytes('kind digest', 32));
  const list = concat(encodeSealedHeader(1), Uint8Array.of(1), slot);
  return toHex(concat(list, hmacSha256(listKey, labelled('sotto/v1/keyslot-list', list))));
}

/** The frozen vectors of keyslot version 2 and of the kinds of a list (SPEC.md §4.2, §4.3). Needs `aeadReady()`. */
export function makeKeyslot2Vectors() {
  const nameTag = deriveNameTag('ada');
  const keyslots = withDeterministicRandom('sotto-v1-keyslot-2', () => makeKeyslotVectors(nameTag)).map((slot) => ({
    ...slot,
    nameTag: toHex(nameTag),
  }));
  const { accountId } = vectorKeyring(1);
  const listKey = deriveKeyslotListKey({ accountId, accountKey: accountKeyOf(vectorKeyring(1), 1) }).expose();
  const kinds = [1, 2, 3, 4].map((kind) => ({ kind, body: listOfKind(listKey, kind) }));
  return {
    about: 'Frozen vectors of crypto/SPEC.md §4.2 and §4.3; bytes are lower-case hex. Made by `npm run vectors`.',
    keyslots,
    keyslotLists: makeKeyslotListVectors(keyslots),
    keyslotListKey: toHex(listKey),
    kinds: kinds.map((entry) => ({ ...entry, digest: toHex(digestKeyslotList(fromHex(entry.body))) })),
    refusedKinds: [0, 5, 6, 255].map((kind) => ({ kind, body: listOfKind(listKey, kind) })),
  };
}
