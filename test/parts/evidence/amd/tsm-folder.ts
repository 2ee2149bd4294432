import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname } from 'node:path';

export type TsmBlobs = { readonly outblob: Uint8Array; readonly auxblob: Uint8Array | null };

/** Names what goes wrong, and how often; nothing by default. */
export type TsmFaults = {
  /** Codes that calls fail with, by attribute, or `mkdir`; each once, in order. */
  errors?: Partial<Record<string, string[]>>;
  /** So many reports are disturbed by another writer between writing and reading. */
  disturbed?: number;
  /** The kernel drops the next writes of `inblob`: as it does, nobody is told. */
  droppedWrites?: number;
  /** Reports are made only once this resolves. */
  hold?: Promise<void>;
};

type Entry = {
  inblob: Uint8Array;
  privlevel: number;
  writeGeneration: bigint;
  readGeneration: bigint;
  blobs: TsmBlobs | null;
};

/**
 * Linux' configfs-tsm as the kernel implements it (drivers/virt/coco/guest/report.c): attributes that are there with the
 * folder, binary ones that count on close, a generation that each write raises, and a folder that goes with one rmdir.
 */
export class TsmKernel {
  readonly provider: 'sev_guest' | 'tdx_guest' | null;
  readonly faults: TsmFaults = {};
  /** Least privilege level that a report may ask for; SEV-SNP alone has them. */
  readonly privlevelFloor: number;
  readonly #makeReport: (inblob: Uint8Array, privlevel: number) => Promise<TsmBlobs> | TsmBlobs;
  readonly #entries = new Map<string, Entry>();
  /** Entries that were ever made. */
  made = 0;

  constructor(input: {
    /** Null: no driver is loaded. */
    readonly provider: 'sev_guest' | 'tdx_guest' | null;
    readonly makeReport: (inblob: Uint8Array, privlevel: number) => Promise<TsmBlobs> | TsmBlobs;
    readonly privlevelFloor?: number;
  }) {
    this.provider = input.provider;
    this.#makeReport = input.makeReport;
    this.privlevelFloor = input.privlevelFloor ?? 0;
  }

  /** Left behind at this moment. */
  get entries(): readonly string[] {
    return [...this.#entries.keys()];
  }

  mkdir(name: string): void {
    this.#fail('mkdir');
    if (this.provider === null) throw failure('ENXIO');
    if (this.#entries.has(name)) throw failure('EEXIST');
    this.made += 1;
    const none = new Uint8Array(0);
    this.#entries.set(name, { inblob: none, privlevel: 0, writeGeneration: 0n, readGeneration: 0n, blobs: null });
  }

  rmdir(name: string): void {
    if (!this.#entries.delete(name)) throw failure('ENOENT');
  }

  open(name: string, attribute: string, flags: string): TsmHandle {
    const entry = this.#entries.get(name);
    if (entry === undefined || !this.#attributes.includes(attribute)) throw failure('ENOENT');
    const isWritten = attribute === 'inblob' || attribute === 'privlevel';
    if (isWritten !== (flags === 'w')) throw failure('EACCES');
    return isWritten ? this.#writer(entry, attribute) : this.#reader(entry, attribute);
  }

  get #attributes(): readonly string[] {
    const common = ['inblob', 'outblob', 'generation', 'provider'];
    return this.provider === 'sev_guest' ? [...common, 'auxblob', 'privlevel', 'privlevel_floor'] : common;
  }

  #fail(operation: string): void {
    const code = this.faults.errors?.[operation]?.shift();
    if (code !== undefined) throw failure(code);
  }

  #writer(entry: Entry, attribute: string): TsmHandle {
    const chunks: Uint8Array[] = [];
    return {
      read: () => Promise.reject(failure('EBADF')),
      write: async (bytes) => {
        this.#fail(attribute);
        if (attribute === 'inblob' && bytes.length > 64) throw failure('EFBIG');
        if (attribute === 'privlevel') this.#writeLevel(entry, Buffer.from(bytes).toString());
        else chunks.push(Uint8Array.from(bytes));
        return { bytesWritten: bytes.length };
      },
      // A binary attribute is taken when its file is closed, and an error of that is lost.
      close: async () => {
        if (attribute !== 'inblob') return;
        if ((this.faults.droppedWrites ?? 0) > 0) {
          this.faults.droppedWrites = (this.faults.droppedWrites ?? 0) - 1;
          return;
        }
        entry.inblob = Buffer.concat(chunks);
        entry.writeGeneration += 1n;
      },
    };
  }

  #writeLevel(entry: Entry, text: string): void {
    const level = Number(text.trim());
    if (!Number.isInteger(level) || level < this.privlevelFloor || level > 3) throw failure('EINVAL');
    entry.privlevel = level;
    entry.writeGeneration += 1n;
  }

  #reader(entry: Entry, attribute: string): TsmHandle {
    let content: Uint8Array | null = null;
    let position = 0;
    return {
      read: async (buffer, offset, length) => {
        content ??= await this.#content(entry, attribute);
        // Never more than a page at a time, as it comes from a kernel.
        const part = content.subarray(position, position + Math.min(length, 4096));
        buffer.set(part, offset);
        position += part.length;
        return { bytesRead: part.length };
      },
      write: () => Promise.reject(failure('EBADF')),
      close: () => Promise.resolve(),
    };
  }

  async #content(entry: Entry, attribute: string): Promise<Uint8Array> {
    this.#fail(attribute);
    switch (attribute) {
      case 'provider':
        return Buffer.from(`${this.provider}\n`);
      case 'generation':
        return Buffer.from(`${entry.writeGeneration}\n`);
      case 'privlevel_floor':
        return Buffer.from(`${this.privlevelFloor}\n`);
      default: {
        if (entry.inblob.length === 0) throw failure('EINVAL');
        if (entry.blobs === null || entry.readGeneration !== entry.writeGeneration) await this.#generate(entry);
        const blobs = entry.blobs;
        return (attribute === 'outblob' ? blobs?.outblob : blobs?.auxblob) ?? new Uint8Array(0);
      }
    }
  }

  async #generate(entry: Entry): Promise<void> {
    if ((this.faults.disturbed ?? 0) > 0) {
      this.faults.disturbed = (this.faults.disturbed ?? 0) - 1;
      entry.inblob = new Uint8Array(64).fill(0xee);
      entry.writeGeneration += 1n;
    }
    await this.faults.hold;
    if (entry.privlevel < this.privlevelFloor) throw failure('EINVAL');
    entry.blobs = await this.#makeReport(entry.inblob, entry.privlevel);
    entry.readGeneration = entry.writeGeneration;
  }
}

type TsmHandle = {
  read(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesRead: number }>;
  write(bytes: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesWritten: number }>;
  close(): Promise<void>;
};

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/**
 * Puts a kernel's folder into this process: `mkdir`, `open` and `rmdir` of `node:fs/promises` go to it below this path,
 * and to the disk everywhere else.
 *
 * @returns takes it away again.
 */
export function mountTsm(folder: string, kernel: TsmKernel): () => void {
  const original = { mkdir: fs.mkdir, open: fs.open, rmdir: fs.rmdir };
  const isEntry = (path: unknown): path is string => typeof path === 'string' && dirname(path) === folder;
  const isAttribute = (path: unknown): path is string => typeof path === 'string' && dirname(dirname(path)) === folder;
  Object.assign(fs, {
    mkdir: async (path: string, ...rest: never[]) =>
      isEntry(path) ? kernel.mkdir(basename(path)) : original.mkdir(path, ...rest),
    rmdir: async (path: string, ...rest: never[]) =>
      isEntry(path) ? kernel.rmdir(basename(path)) : original.rmdir(path, ...rest),
    open: async (path: string, flags: string, ...rest: never[]) =>
      isAttribute(path)
        ? kernel.open(basename(dirname(path)), basename(path), flags)
        : original.open(path, flags, ...rest),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, original);
    syncBuiltinESMExports();
  };
}

/** A host's certificate table (AMD 56421, 4.1.8.1). */
export function makeCertificateTable(parts: readonly (readonly [id: string, bytes: Uint8Array])[]): Uint8Array {
  const head = Buffer.alloc(24 * (parts.length + 1));
  let offset = head.length;
  for (const [index, [id, bytes]] of parts.entries()) {
    Buffer.from(id.replaceAll('-', ''), 'hex').copy(head, index * 24);
    head.writeUInt32LE(offset, index * 24 + 16);
    head.writeUInt32LE(bytes.length, index * 24 + 20);
    offset += bytes.length;
  }
  return Uint8Array.from(Buffer.concat([head, ...parts.map(([, bytes]) => bytes)]));
}

export const certificateIds = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
  revocationList: '92f81bc3-5811-4d3d-97ff-d19f88dc67ea',
} as const;
