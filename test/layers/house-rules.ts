import { computedSpecifier, type Import } from './read-imports.ts';

/** Says what is wrong with an import of this file, or null. */
export type ImportRule = (from: string, imported: Import) => string | null;

/** Folders of crypto/ that open and seal nothing: what anyone may hold, and what proves a person to a relay. */
export const harmlessCrypto = /^crypto\/(protocol|sign-in)\//;
const anyonesCrypto = /^crypto\/protocol\//;

/** Packages that open or seal; neither the relay nor anything but the client's vault may hold them. */
export const sealingPackages =
  /^(libsodium|libsodium-wrappers|hpke|@panva\/hpke-noble|@noble\/ciphers|@noble\/post-quantum|@scure\/bip39)(\/|$)/;

const cryptoPackages =
  /^(libsodium-wrappers|hpke|valibot|@panva\/hpke-noble|@serenity-kit\/opaque|@(noble|scure)\/[a-z0-9-]+)(\/|$)/;
const reactPackages = /^(react|react-dom|react-redux|@base-ui\/react|@tanstack\/react-[a-z]+)(\/|$)/;

const roomOf = (path: string): string => path.split('/')[0] ?? '';
/** The second part of the path, `''` for files that lie in the room itself. */
const folderOf = (path: string): string => (path.split('/').length > 2 ? (path.split('/')[1] ?? '') : '');

/** Who may import which room. */
const roomsOf: Readonly<Record<string, readonly string[]>> = {
  crypto: ['crypto'],
  process: ['process', 'crypto'],
  server: ['server', 'process', 'crypto'],
  'enclave-worker': ['enclave-worker', 'process', 'crypto'],
  registrar: ['registrar', 'process', 'crypto'],
  client: ['client', 'process', 'crypto'],
  audit: ['audit', 'process', 'crypto', 'client'],
  test: ['test', 'crypto', 'process', 'server', 'enclave-worker', 'registrar', 'client', 'audit'],
};

/** Arrows between a room's folders: each may import what its list names, and itself. */
const arrows: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  crypto: {
    protocol: [],
    'sign-in': ['protocol'],
    primitives: ['protocol'],
    account: ['protocol', 'primitives', 'sign-in'],
    vault: ['protocol', 'primitives', 'account'],
    turn: ['protocol', 'primitives'],
    evidence: ['protocol', 'primitives'],
  },
  process: {
    settings: ['http'],
    http: [],
  },
  server: {
    connections: ['api', 'launch'],
    accounts: ['vault', 'live', 'api', 'storage'],
    turns: ['frames', 'live', 'vault', 'pools', 'api', 'storage'],
    frames: ['vault', 'api', 'storage'],
    live: ['api', 'storage'],
    vault: ['api', 'storage'],
    pools: ['api', 'storage'],
    api: ['storage'],
    storage: [],
    launch: [],
  },
  'enclave-worker': {
    http: ['turns', 'engines', 'keys', 'evidence'],
    turns: ['engines', 'keys', 'evidence'],
    evidence: ['engines', 'keys'],
    engines: [],
    keys: [],
  },
  registrar: {
    http: ['statements', 'public-log'],
    statements: ['identity', 'public-log', 'storage'],
    identity: [],
    'public-log': ['storage'],
    storage: [],
  },
  audit: {
    document: [],
    log: [],
  },
};

/**
 * Floors of a folder, the lowest first: a file imports its own floor and those below it, types included. What lies in the folder
 * itself stands above all of them.
 */
export const floors: Readonly<Record<string, readonly string[]>> = {
  client: ['vault', 'node', 'worker', 'page'],
  'client/vault': [
    'surroundings',
    'relay',
    'failures',
    'items',
    'store',
    'changes',
    'enclave',
    'exchange',
    'replies',
    'threads',
    'asking',
    'session',
    'features',
    'api',
  ],
  'client/vault/relay': ['http', 'tokens', 'connection'],
  'client/vault/changes': ['operations', 'outbox', 'writing'],
  'client/vault/exchange': ['reading', 'sending'],
  'client/vault/session': ['keys', 'factors'],
  'server/accounts': ['keys', 'sessions', 'attempts', 'keyslots', 'factors'],
  'client/page': ['texts', 'design', 'state', 'shell', 'actions', 'features'],
  'client/page/design': ['styles', 'display', 'buttons', 'fields', 'overlays'],
  'client/page/shell': ['browser', 'context', 'routes', 'lines', 'forms', 'frames'],
  'client/page/features/thread': ['reply', 'messages'],
  'client/page/features/markdown': ['source', 'guards', 'elements'],
  'client/page/features/markdown/source': ['blocks', 'inline'],
};

/** Files in a room itself that start something: they import the folders, never the other way round. */
const entryFiles =
  /^(server|enclave-worker|registrar|audit)\/(main|launcher|audit-log|verify-document|build|backup|restore|print-keys)\.ts$/;
/** Node runs these in the client's room: the vault's adapters and the build. */
const nodeFiles = /^client\/(node\/.*|build\.ts|build\/.*|vite\.config\.ts)$/;
const nodeAdapters = /^client\/node\//;

const staysInItsRoom: ImportRule = (from, { path }) => {
  if (path === null) return null;
  const allowed = roomsOf[roomOf(from)] ?? [];
  // package.json and the like lie in no room.
  return !path.includes('/') || allowed.includes(roomOf(path))
    ? null
    : `${roomOf(from)}/ may not import ${roomOf(path)}/`;
};

const cryptoIsPure: ImportRule = (from, { path, specifier }) =>
  roomOf(from) !== 'crypto' || path !== null || cryptoPackages.test(specifier)
    ? null
    : 'crypto/ imports audited crypto packages and valibot only';

/** A room that every process shares holds no secret: it knows messages and bytes, and no package but what checks those. */
const processKnowsNoSecret: ImportRule = (from, { path, specifier }) => {
  if (roomOf(from) !== 'process') return null;
  if (path === null) return /^(node:|valibot$)/.test(specifier) ? null : 'process/ imports Node and valibot only';
  return roomOf(path) === 'crypto' && !anyonesCrypto.test(path) ? 'process/ imports of crypto/ only protocol/' : null;
};

const relayOpensNothing: ImportRule = (from, { path, specifier }) => {
  if (roomOf(from) !== 'server') return null;
  if (path === null) return sealingPackages.test(specifier) ? 'the relay holds no library that opens or seals' : null;
  return roomOf(path) === 'crypto' && !harmlessCrypto.test(path)
    ? 'the relay imports nothing that opens or seals'
    : null;
};

const enginesKnowNoCrypto: ImportRule = (from, { path, specifier }) => {
  if (!from.startsWith('enclave-worker/engines/')) return null;
  const isCrypto = path === null ? sealingPackages.test(specifier) : path.startsWith('crypto/');
  return isCrypto && (path === null || !anyonesCrypto.test(path)) ? 'engines know no crypto' : null;
};

const onlyTheVaultOpens: ImportRule = (from, { path, specifier, isTypeOnly }) => {
  if (roomOf(from) !== 'client' || from.startsWith('client/vault/') || isTypeOnly) return null;
  if (nodeFiles.test(from) && !nodeAdapters.test(from)) return null;
  const opens =
    path === null ? sealingPackages.test(specifier) : roomOf(path) === 'crypto' && !anyonesCrypto.test(path);
  return opens ? 'in the client only vault/ imports what opens or seals' : null;
};

const clientHasNoNode: ImportRule = (from, { specifier }) =>
  roomOf(from) === 'client' && !nodeFiles.test(from) && specifier.startsWith('node:')
    ? 'a browser has no node: modules'
    : null;

const browserHasNoNodeAdapters: ImportRule = (from, { path }) => {
  if (roomOf(from) !== 'client' || nodeFiles.test(from) || path === null) return null;
  return nodeAdapters.test(path) || roomOf(path) === 'process'
    ? 'nothing of a browser imports node/ or process/'
    : null;
};

const vaultStandsAlone: ImportRule = (from, { path, specifier }) =>
  !from.startsWith('client/vault/') || path !== null || cryptoPackages.test(specifier)
    ? null
    : 'client/vault/ imports audited crypto packages and valibot only: storage and threads come from outside';

/** An auditor's reader checks the client from outside: it shares the policy that is built in, and none of the client's own code. */
const auditKnowsOfTheClientItsBuild: ImportRule = (from, { path }) =>
  roomOf(from) === 'audit' && path?.startsWith('client/') === true && !path.startsWith('client/build/')
    ? 'audit/ imports of client/ only build/'
    : null;

const stateKnowsNoReact: ImportRule = (from, { specifier, isTypeOnly }) =>
  from.startsWith('client/page/state/') && !isTypeOnly && reactPackages.test(specifier)
    ? 'state/ knows no React'
    : null;

const pageSeesTheVaultThroughItsApi: ImportRule = (from, { path }) =>
  from.startsWith('client/page/') && path?.startsWith('client/vault/') === true && !path.startsWith('client/vault/api/')
    ? 'the page reaches the vault through vault/api/ only'
    : null;

const floorsStandOnEachOther: ImportRule = (from, { path }) => {
  for (const [folder, names] of Object.entries(floors)) {
    if (path === null || !from.startsWith(`${folder}/`) || !path.startsWith(`${folder}/`)) continue;
    const [source, target] = [from, path].map((each) =>
      names.indexOf(each.slice(folder.length + 1).split('/')[0] ?? ''),
    );
    if (source === undefined || source < 0 || target === undefined) continue;
    if (target < 0 || target > source) return `${folder}/${names[source]}/ may not import what stands above it`;
  }
  return null;
};

const exchangeStoresNothing: ImportRule = (from, { path }) =>
  from.startsWith('client/vault/exchange/') && path !== null && /^client\/vault\/(store|changes)\//.test(path)
    ? 'exchange/ knows no store and no outbox'
    : null;

const arrowsGoOneWay: ImportRule = (from, { path }) => {
  if (path === null || roomOf(path) !== roomOf(from)) return null;
  const [source, target] = [folderOf(from), folderOf(path)];
  if (source !== '' && entryFiles.test(path)) return `${source}/ may not import what starts it`;
  const allowed = arrows[roomOf(from)]?.[source];
  // A folder that is not named above may import what it likes; the test for cycles still holds it.
  if (allowed === undefined || source === target || target === '') return null;
  const isNamed = arrows[roomOf(from)]?.[target] !== undefined;
  return allowed.includes(target) || !isNamed ? null : `${source}/ may not import ${target}/`;
};

const saysTheExtension: ImportRule = (_from, { path }) =>
  path === null || /\.[a-z0-9]+$/.test(path) ? null : 'imports carry their file extension';

/** No rule could judge an import whose name is made up as the code runs. The build reads what it made itself. */
const namesWhatItImports: ImportRule = (from, { specifier }) =>
  specifier === computedSpecifier && !/^(test|client\/build)\//.test(from)
    ? 'an import says its name in plain text'
    : null;

/** Every rule about one import. */
export const importRules: readonly ImportRule[] = [
  staysInItsRoom,
  cryptoIsPure,
  processKnowsNoSecret,
  relayOpensNothing,
  enginesKnowNoCrypto,
  onlyTheVaultOpens,
  clientHasNoNode,
  browserHasNoNodeAdapters,
  vaultStandsAlone,
  auditKnowsOfTheClientItsBuild,
  stateKnowsNoReact,
  pageSeesTheVaultThroughItsApi,
  floorsStandOnEachOther,
  exchangeStoresNothing,
  arrowsGoOneWay,
  saysTheExtension,
  namesWhatItImports,
];
