import { CryptoError } from '../../../protocol/bytes/errors.ts';

/** An element with its names resolved (Namespaces in XML 1.0). */
export type XmlElement = {
  /** The name as written, prefix and all. */
  readonly name: string;
  readonly namespace: string;
  readonly localName: string;
  readonly attributes: readonly XmlAttribute[];
  /** Namespaces declared on this very element: prefix (`''`: default) to name. */
  readonly declarations: ReadonlyMap<string, string>;
  /** All that hold here, inherited ones too. */
  readonly inScope: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
};
export type XmlAttribute = {
  readonly name: string;
  /** `''` for an attribute without prefix. */
  readonly namespace: string;
  readonly localName: string;
  readonly value: string;
};

const maximumLength = 262_144;
const maximumDepth = 12;
const maximumElements = 4096;
const maximumAttributes = 64;

const name = '[A-Za-z_][A-Za-z0-9._-]{0,63}(?::[A-Za-z_][A-Za-z0-9._-]{0,63})?';
const declaration = /<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>/y;
const blank = /[\t\n ]*/y;
const openTag = new RegExp(`<(${name})`, 'y');
const attribute = new RegExp(`[\\t\\n ]+(${name})="([^"<\\t\\n]*)"`, 'y');
const tagEnd = /[\t\n ]*(\/?)>/y;
const closeTag = new RegExp(`</(${name})[\\t\\n ]*>`, 'y');
const characters = /[^<]+/y;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads the part of XML that reference manifests use: elements, attributes in double quotes, ASCII text and the five named
 * entities. All else is refused: document types, comments, CDATA, processing instructions, references by number, the prefix
 * `xml`. So nothing gets past that another reader could see in another way.
 *
 * @throws {CryptoError} `malformed`, `too-long` above 256 KiB.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > maximumLength) throw new CryptoError('too-long');
  const source = text.replaceAll('\r\n', '\n');
  if (!/^[\t\n\u0020-\u007e]*$/.test(source)) throw new CryptoError('malformed');
  const scanner = new Scanner(source);
  scanner.match(declaration);
  scanner.match(blank);
  const root = readElement(scanner, new Map(), 0);
  scanner.match(blank);
  if (!scanner.isAtEnd) throw new CryptoError('malformed');
  return root;
}

function readElement(scanner: Scanner, outer: ReadonlyMap<string, string>, depth: number): XmlElement {
  if (depth > maximumDepth || ++scanner.elementCount > maximumElements) throw new CryptoError('malformed');
  const elementName = scanner.need(openTag)[1] ?? '';
  const written = readAttributes(scanner);
  const declarations = readDeclarations(written);
  const inScope = declarations.size === 0 ? outer : new Map([...outer, ...declarations]);
  const head = {
    name: elementName,
    ...resolve(elementName, inScope, inScope.get('') ?? ''),
    attributes: resolveAttributes(written, inScope),
    declarations,
    inScope,
  };
  if (scanner.need(tagEnd)[1] === '/') return { ...head, children: [] };
  const children: (XmlElement | string)[] = [];
  for (;;) {
    const closed = scanner.match(closeTag);
    if (closed !== null) {
      if (closed[1] !== elementName) throw new CryptoError('malformed');
      return { ...head, children };
    }
    const run = scanner.match(characters)?.[0];
    if (run?.includes(']]>') === true) throw new CryptoError('malformed');
    children.push(run === undefined ? readElement(scanner, inScope, depth + 1) : unescape(run));
  }
}

function readAttributes(scanner: Scanner): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  for (let match = scanner.match(attribute); match !== null; match = scanner.match(attribute)) {
    const [, attributeName = '', value = ''] = match;
    if (written.has(attributeName) || written.size === maximumAttributes) throw new CryptoError('malformed');
    written.set(attributeName, unescape(value));
  }
  return written;
}

function readDeclarations(written: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const declarations = new Map<string, string>();
  for (const [attributeName, value] of written) {
    const prefix = attributeName === 'xmlns' ? '' : /^xmlns:(.+)$/.exec(attributeName)?.[1];
    if (prefix === undefined) continue;
    // Nothing is undeclared again, and what XML itself has bound stays as it is.
    if (value === '' || /^xml/i.test(prefix) || /^http:\/\/www\.w3\.org\/(2000\/xmlns\/|XML\/1998\/)/.test(value)) {
      throw new CryptoError('malformed');
    }
    declarations.set(prefix, value);
  }
  return declarations;
}

function resolveAttributes(written: ReadonlyMap<string, string>, inScope: ReadonlyMap<string, string>): XmlAttribute[] {
  const attributes: XmlAttribute[] = [];
  const seen = new Set<string>();
  for (const [attributeName, value] of written) {
    if (attributeName === 'xmlns' || attributeName.startsWith('xmlns:')) continue;
    const resolved = resolve(attributeName, inScope, '');
    const key = `${resolved.localName} ${resolved.namespace}`;
    if (seen.has(key)) throw new CryptoError('malformed');
    seen.add(key);
    attributes.push({ name: attributeName, ...resolved, value });
  }
  return attributes;
}

function resolve(qualified: string, inScope: ReadonlyMap<string, string>, unprefixed: string) {
  const colon = qualified.indexOf(':');
  if (colon < 0) return { namespace: unprefixed, localName: qualified };
  const namespace = inScope.get(qualified.slice(0, colon));
  if (namespace === undefined) throw new CryptoError('malformed');
  return { namespace, localName: qualified.slice(colon + 1) };
}

function unescape(text: string): string {
  return text.replace(/&([a-z]{1,4};)?/g, (_, reference: string = '') => {
    const character = entities[reference.slice(0, -1)];
    if (character === undefined) throw new CryptoError('malformed');
    return character;
  });
}

class Scanner {
  readonly #source: string;
  #offset = 0;
  elementCount = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#source.length;
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#offset = pattern.lastIndex;
    return match;
  }

  need(pattern: RegExp): RegExpExecArray {
    const match = this.match(pattern);
    if (match === null) throw new CryptoError('malformed');
    return match;
  }
}
