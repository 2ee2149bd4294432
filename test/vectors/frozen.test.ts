import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

/** SHA-256 of each file of vectors. One that changes is another format, or another publication, and belongs in CHANGELOG.md. */
const frozen = {
  'bip39-english-256.trezor.json': '0b5c74952bdfde435c22491ceb99b37d7700ccc1fdc02d02940516cb438487bf',
  'hkdf-sha256.wycheproof.json': '0d356883e10df583980e920eefad2cdede22d4b6973a9ba3ea96bc0fa291cfd0',
  'hpke-xwing.hpkewg.json': 'b3d00b54d1de77e12a7f4013dd83fd9d5a481cebaf676cb83ff4deb020ca03a3',
  'opaque-ristretto255.rfc9807.json': '776c5609906bd24fe20e50598b6949dcbdd75638b1c1e3817665b4fa64d28b75',
  'sotto-v1-coded-document.json': 'fe280c72f8bf2cb13a54a6f5cdc133ada6cf4716ede87e14d4cfa505944a063e',
  'sotto-v1-document-3.json': 'eb677d58276f4fa14d1cbb5404339b9823abb006c20fac494fe547eab5e646ac',
  'sotto-v1-document.json': '9ee780f0f55cd4a769c58f406aa0a7e722b3268d3bec8aeebfd24e69985cb126',
  'sotto-v1-evidence.json': 'ab2cce1e2ecd7446933bc32b9221b24e2b8383afcf6731de0328ed596d604750',
  'sotto-v1-keyslot-2.json': '0752c6158d0cca4b70f673356a4a18b89a2bba7306e89a5fc942acb557d398ec',
  'sotto-v1-modal.json': '87462aecfd5b341a79f49d6c14ed37e565c153212fea51082d4a696ff087eec6',
  'sotto-v1-note.json': 'f1a4c93db4b7cc953cd7d7c08acb2f69ceb17fb5be48dc6480fba77d465d2a7e',
  'sotto-v1-preference.json': '121ce130a1c5c0c409054c31e4079149feb61c5e5da32df43c65e66dd626d238',
  'sotto-v1-request-2.json': 'a87faedf533fb120b3b79393efec07fbfc5c7636bc4d09a9804cea15776bd792',
  'sotto-v1-turn.json': 'd44ca29811a79e29f194bd3f853d106094280e5c8d63cd3ca71d2df787656a95',
  'sotto-v1-worded-document.json': '7f4d9081669b06fbf48ea250f1e36e378e48db67ec2ca5516554a26301d6e28f',
  'sotto-v1.json': 'd528cfa5512fbbb058a7f2a3695e60ea452e5c7295790fd84ebe134e390334a9',
  'x25519.wycheproof.json': '6e4279df96e1b41042aaa750100cccb004b30c0670dfb314e75ff66d273d36f3',
  'xchacha20-poly1305.wycheproof.json': '0241f13295464be48a25122a846e219a6c5833001904793beb5ae51a6e431563',
};
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));

test('each file of vectors is the one that was frozen', () => {
  const digestOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(resolve(import.meta.dirname, name)))
      .digest('hex');
  expect(Object.fromEntries(files.map((name) => [name, digestOf(name)]))).toEqual(frozen);
});

test('SPEC.md §13 lists each file of vectors, and no other', () => {
  const specification = readFileSync(resolve('crypto/SPEC.md'), 'utf8');
  const table = specification.slice(specification.indexOf('\n## §13 '), specification.indexOf('\n### §13.1 '));
  const listed = [...table.matchAll(/^\| `([^`]+\.json)` \|/gm)].map(([, name]) => name ?? '');
  expect(listed.toSorted()).toEqual(files.toSorted());
});
