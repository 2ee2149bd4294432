import type { XmlAttribute, XmlElement } from './xml-reader.ts';

/**
 * Canonical XML 1.1 without comments (W3C REC-xml-c14n11, inclusive) of an element and what it holds.
 *
 * @param omitted - A child of `apex` that is left out: the enveloped signature.
 * @returns Text that is ASCII wherever the source was.
 */
export function canonicalizeXml(apex: XmlElement, omitted?: XmlElement): string {
  const parts: string[] = [];
  write(apex, new Map(), omitted, parts);
  return parts.join('');
}

function write(
  element: XmlElement,
  rendered: ReadonlyMap<string, string>,
  omitted: XmlElement | undefined,
  parts: string[],
): void {
  // The apex renders all that holds there, everything below it what changes (C14N 1.0 §2.3, namespace axis).
  const changed = [...element.inScope].filter(([prefix, namespace]) => rendered.get(prefix) !== namespace);
  parts.push('<', element.name);
  for (const [prefix, namespace] of changed.toSorted(([a], [b]) => compare(a, b))) {
    parts.push(prefix === '' ? ' xmlns="' : ` xmlns:${prefix}="`, escapeAttribute(namespace), '"');
  }
  for (const { name, value } of element.attributes.toSorted(compareAttributes)) {
    parts.push(' ', name, '="', escapeAttribute(value), '"');
  }
  parts.push('>');
  for (const child of element.children) {
    if (typeof child === 'string') parts.push(escapeText(child));
    else if (child !== omitted) write(child, element.inScope, omitted, parts);
  }
  parts.push('</', element.name, '>');
}

function compareAttributes(a: XmlAttribute, b: XmlAttribute): number {
  return compare(a.namespace, b.namespace) || compare(a.localName, b.localName);
}

/** By code point, which for ASCII is by code unit. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
