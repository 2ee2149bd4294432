import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type * as Aead from '../../../../crypto/primitives/aead.ts';
import { encodeUtf8, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type * as CanonicalJson from '../../../../crypto/protocol/json/canonical-json.ts';
import { encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import { sha256, sha512 } from '../../../../crypto/protocol/bytes/hash.ts';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';

/** Whatever the client seals, with its padding, and every piece of JSON that it could have come from. */
const plaintexts = vi.hoisted(() => new Set<Uint8Array>());

vi.mock('../../../../crypto/primitives/aead.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Aead>();
  const seal: typeof original.sealXChaCha20Poly1305 = (input) => {
    plaintexts.add(new Uint8Array(input.plaintext));
    return original.sealXChaCha20Poly1305(input);
  };
  return { ...original, sealXChaCha20Poly1305: seal };
});
vi.mock('../../../../crypto/protocol/json/canonical-json.ts', async (importOriginal) => {
  const original = await importOriginal<typeof CanonicalJson>();
  const encode: typeof original.encodeCanonicalJson = (value) => {
    const bytes = original.encodeCanonicalJson(value);
    plaintexts.add(new Uint8Array(bytes));
    return bytes;
  };
  return { ...original, encodeCanonicalJson: encode };
});

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** The first half of a hash as it could stand in bytes or text; half of one would give the words away as well. */
function spellings(hash: Uint8Array): Buffer[] {
  const half = Buffer.from(hash).subarray(0, 16);
  const texts = [half.toString('hex'), half.toString('hex').toUpperCase()];
  for (const shift of [0, 1, 2]) {
    // These letters do not depend on the bytes around them, wherever in a group of three they begin.
    const core = toBase64Url(new Uint8Array([...new Uint8Array(shift), ...half])).slice(4, -3);
    texts.push(core, core.replaceAll('-', '+').replaceAll('_', '/'));
  }
  return [half, ...texts.map((text) => Buffer.from(text))];
}

function isHashIn(hash: Uint8Array, places: readonly Buffer[]): boolean {
  return spellings(hash).some((spelling) => places.some((place) => place.includes(spelling)));
}

/** Every value of every table, and the files that they lie in. */
function readStorage(folder: string): Buffer[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const places = files.map((file) => readFileSync(file));
  for (const [index, file] of files.entries()) {
    if (places[index]?.subarray(0, 15).toString() !== 'SQLite format 3') continue;
    using database = new DatabaseSync(file, { readOnly: true });
    for (const { name } of database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()) {
      const rows = database.prepare(`SELECT * FROM "${String(name)}"`).all();
      for (const value of rows.flatMap((row) => Object.values(row))) {
        places.push(value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)));
      }
    }
  }
  return places;
}

function withoutProof(body: string): string {
  const { proof: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return Buffer.from(encodeCanonicalJson(rest)).toString();
}

it('the relay is sent, and keeps, no hash of anything that was written', async () => {
  lab.upstream.answerWith({ tokens: ['An answer ', 'in clear.'], reasoning: ['Some thoughts.'] });
  const { person, profile, tab } = await lab.signUp();
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.connection === 'connected');
  await tab.vault.writeDraft({ conversationId: null, text: 'A draft in clear.' });
  const { conversationId, turnId } = await tab.ask('A question in clear.');
  await tab.ended(turnId);
  await tab.vault.renameConversation({ conversationId, title: 'A title in clear' });
  await tab.vault.changePassword({ newPassword: 'Another harbour lantern 7!', proof: proofOf(person) });
  const stored = () => profile.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/items');
  // The title, and the answer made compact.
  await tab.until(() => stored().length >= 2);

  const words = [
    'A question in clear.',
    'An answer in clear.',
    'Some thoughts.',
    'A draft in clear.',
    'A title in clear',
    'Another harbour lantern 7!',
    person.userName,
    person.password,
    person.recoveryWords.join(' '),
  ];
  // A fresh proof is for the digest of a call that the relay is sent in clear as well (SPEC.md §3.5).
  const sealed = new Set(plaintexts);
  const bodies = profile.requests
    .filter(({ path }) => path === '/v1/password/finish')
    .map(({ body }) => withoutProof(body));
  expect(bodies).toHaveLength(1);
  for (const bytes of sealed) if (bodies.includes(Buffer.from(bytes).toString())) sealed.delete(bytes);
  const known = [
    ...words.map((text) => encodeUtf8(text)),
    ...words.map((text) => new Uint8Array(Buffer.from(text, 'utf16le'))),
    ...sealed,
  ];
  expect([...plaintexts].some((bytes) => Buffer.from(bytes).includes('A question in clear.'))).toBe(true);
  const requests = profile.requests.map(({ path, body }) => Buffer.from(`${path} ${body}`));
  const places = [...requests, ...readStorage(lab.dataFolder)];
  const told = known.filter((bytes) => [sha256(bytes), sha512(bytes)].some((hash) => isHashIn(hash, places)));
  expect(
    told.map((bytes) =>
      Buffer.from(bytes)
        .toString('latin1')
        .replaceAll(/[^ -~]/g, '')
        .slice(0, 80),
    ),
  ).toEqual([]);

  // The search finds a hash where there is one: that of a sealed item, which the relay reckons by itself.
  const { batch } = JSON.parse(profile.sentTurns[0]?.body ?? '') as { batch: { items: { body: string }[] } };
  const sealedHash = sha256(Buffer.from(batch.items[0]?.body ?? '', 'base64url'));
  expect(isHashIn(sealedHash, readStorage(lab.dataFolder))).toBe(true);
  const { expectedHead } = JSON.parse(stored().at(-1)?.body ?? '') as { expectedHead: string };
  expect(isHashIn(Buffer.from(expectedHead, 'base64url'), requests)).toBe(true);
});
