export type WholeStorage = {
  readonly databaseNames: readonly string[];
  readonly rows: readonly { readonly database: string; readonly store: string; readonly value: unknown }[];
  readonly extractableKeys: number;
  /** True if a text is in there as it is: in strings and names, or in bytes as UTF-8, UTF-16, hex or base64. */
  contains(text: string): boolean;
};

/** Everything that IndexedDB holds, through the API that any script of the page has. */
export async function readWholeStorage(indexedDB: IDBFactory): Promise<WholeStorage> {
  const databases = await indexedDB.databases();
  const rows: { database: string; store: string; value: unknown }[] = [];
  for (const { name } of databases) {
    if (name === undefined) continue;
    const database = await finished(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const values = await finished(database.transaction(store).objectStore(store).getAll());
      for (const value of values as unknown[]) rows.push({ database: name, store, value });
    }
    database.close();
  }
  const strings: string[] = [];
  const bytes: Buffer[] = [];
  const keys: CryptoKey[] = [];
  collect(rows, { strings, bytes, keys });
  return {
    databaseNames: databases.flatMap(({ name }) => name ?? []),
    rows,
    extractableKeys: keys.filter((key) => key.extractable).length,
    contains: (text) => {
      const spellings = [text, Buffer.from(text).toString('base64url').slice(0, -1), Buffer.from(text).toString('hex')];
      if (strings.some((string) => spellings.some((spelling) => string.includes(spelling)))) return true;
      const sought = [...spellings.map((spelling) => Buffer.from(spelling)), Buffer.from(text, 'utf16le')];
      return bytes.some((piece) => sought.some((spelling) => piece.includes(spelling)));
    },
  };
}

function collect(value: unknown, into: { strings: string[]; bytes: Buffer[]; keys: CryptoKey[] }): void {
  if (typeof value === 'string') into.strings.push(value);
  else if (value instanceof CryptoKey) into.keys.push(value);
  else if (ArrayBuffer.isView(value)) into.bytes.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      into.strings.push(key);
      collect(member, into);
    }
  }
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB gives no reason.')));
  });
}
