import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A Merkle tree (RFC 6962 §2.1) and signed notes (C2SP) written down from their definitions, to hold the real ones against. */
type Hash = Buffer;

export type PaperKey = { readonly privateKey: KeyObject; readonly publicKey: Buffer };

export function makePaperKey(): PaperKey {
  return paperKeyOf(generateKeyPairSync('ed25519').privateKey);
}

/** @param seed - 32 bytes. */
export function paperKeyOfSeed(seed: Uint8Array): PaperKey {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return paperKeyOf(createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' }));
}

function paperKeyOf(privateKey: KeyObject): PaperKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey: spki.subarray(-32) };
}

const sha256 = (...parts: readonly Uint8Array[]): Hash => createHash('sha256').update(Buffer.concat(parts)).digest();

export function leafHash(entry: Uint8Array): Hash {
  return sha256(Buffer.of(0), entry);
}

/** MTH(D[n]) of leaf hashes. */
export function treeHash(leaves: readonly Uint8Array[]): Hash {
  const [first, ...others] = leaves;
  if (first === undefined) return sha256();
  if (others.length === 0) return Buffer.from(first);
  const k = split(leaves.length);
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** PATH(m, D[n]). */
export function auditPath(place: number, leaves: readonly Uint8Array[]): readonly Hash[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return place < k
    ? [...auditPath(place, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...auditPath(place - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

function split(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1);
}

/** One signature line of a note, with whatever bytes it is given. */
export function noteLine(keyName: string, keyId: Uint8Array, signature: Uint8Array): string {
  return `\u2014 ${keyName} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
}

export function noteKeyId(keyName: string, publicKey: Uint8Array): Buffer {
  return sha256(Buffer.from(`${keyName}\n`), Buffer.of(1), publicKey).subarray(0, 4);
}

/** A signed note over any text. */
export function signNote(text: string, keyName: string, key: PaperKey): string {
  return `${text}\n${noteLine(keyName, noteKeyId(keyName, key.publicKey), sign(null, Buffer.from(text), key.privateKey))}`;
}

export function checkpointText(origin: string, size: number | string, rootHash: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(rootHash).toString('base64')}\n`;
}

/** A log serves this; it is read without any code of the registrar's. */
export type ServedLog = {
  readonly note: string;
  readonly origin: string;
  readonly size: number;
  readonly rootHash: string;
  readonly entries: readonly Buffer[];
};

/** Reads a whole log of any size below 1000 tiles, and checks root and lowest tiles against its entries. */
export async function readServedLog(url: string): Promise<ServedLog> {
  const get = async (path: string) => {
    const answer = await fetch(url + path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const note = (await get('/checkpoint')).toString('utf8');
  const [origin = '', sizeText = '', rootHash = ''] = note.split('\n');
  const size = Number(sizeText);
  const entries: Buffer[] = [];
  for (let place = 0; place * 256 < size; place++) {
    const width = Math.min(256, size - place * 256);
    const path = `${String(place).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`;
    const bundle = await get(`/tile/entries/${path}`);
    const tile = await get(`/tile/0/${path}`);
    for (let offset = 0; offset < bundle.length;) {
      const end = offset + 2 + bundle.readUInt16BE(offset);
      entries.push(bundle.subarray(offset + 2, end));
      offset = end;
    }
    const leaves = entries.slice(place * 256).map(leafHash);
    if (!Buffer.concat(leaves).equals(tile)) throw new Error(`Tile ${place} does not fit its entries.`);
  }
  if (entries.length !== size) throw new Error(`${entries.length} entries in a log of ${size}.`);
  if (treeHash(entries.map(leafHash)).toString('base64') !== rootHash) throw new Error('The root is another.');
  return { note, origin, size, rootHash, entries };
}
