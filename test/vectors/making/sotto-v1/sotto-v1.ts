import {
  makeDerivedKeyVectors,
  makeKeyringVectors,
  makeKeyslotListVectors,
  makeKeyslotVectors,
  makeNameVectors,
  makeRecoveryVectors,
  makeStepUpVectors,
} from './account-vectors.ts';
import { withDeterministicRandom } from '../given/deterministic-random.ts';
import { makeEncodingVectors } from './encoding-vectors.ts';
import { makeRefusedItemVectors } from './refused-item-vectors.ts';
import { makeDraftVectors, makeHeadVectors, makeItemVectors, makeTreeVectors } from './vault-vectors.ts';

/** The frozen vectors of SPEC.md §1 to §6. Needs `aeadReady()`. Each part draws its own random bytes, so that parts can be added. */
export function makeVaultVectors() {
  const part = <Result>(name: string, make: () => Result) => withDeterministicRandom(`sotto-v1 ${name}`, make);
  const keyslots = part('keyslots', makeKeyslotVectors);
  const keyslotLists = part('keyslot lists', () => makeKeyslotListVectors(keyslots));
  const trees = part('trees', makeTreeVectors);
  const roots = trees.map(({ root }) => root);
  return {
    about: 'Frozen vectors of crypto/SPEC.md §1 to §6; bytes are lower-case hex. Made by `npm run vectors`.',
    encodings: part('encodings', makeEncodingVectors),
    names: part('names', makeNameVectors),
    recovery: part('recovery', makeRecoveryVectors),
    stepUp: part('step-up', makeStepUpVectors),
    derivedKeys: part('derived keys', makeDerivedKeyVectors),
    keyslots,
    keyslotLists,
    keyrings: part('keyrings', makeKeyringVectors),
    items: part('items', makeItemVectors),
    refusedItems: part('refused items', makeRefusedItemVectors),
    drafts: part('drafts', makeDraftVectors),
    trees,
    heads: part('heads', () => makeHeadVectors({ roots, keyslotLists })),
  };
}
