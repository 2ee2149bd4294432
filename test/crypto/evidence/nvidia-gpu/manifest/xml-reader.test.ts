import { describe, expect, test } from 'vitest';
import { canonicalizeXml } from '../../../../../crypto/evidence/nvidia-gpu/manifest/canonical-xml.ts';
import { parseXml } from '../../../../../crypto/evidence/nvidia-gpu/manifest/xml-reader.ts';
import { CryptoError } from '../../../../../crypto/protocol/bytes/errors.ts';

function outcome(text: string): string {
  try {
    parseXml(text);
    return 'read';
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return error.code;
  }
}

/** Each with the twin that is read. */
const refused: readonly (readonly [name: string, text: string, twin: string])[] = [
  ['nothing', '', '<a/>'],
  ['text alone', 'a', '<a/>'],
  ['no end', '<a>', '<a></a>'],
  ['another end', '<a></b>', '<a></a>'],
  ['ends in the wrong order', '<a><b></a></b>', '<a><b></b></a>'],
  ['two roots', '<a/><a/>', '<a><a/></a>'],
  ['text behind the root', '<a/>b', '<a/>\n'],
  ['text before the root', 'b<a/>', '\n<a/>'],
  ['a single-quoted attribute', "<a b='c'/>", '<a b="c"/>'],
  ['an attribute without value', '<a b/>', '<a b=""/>'],
  ['attributes without a blank', '<a b="c"d="e"/>', '<a b="c" d="e"/>'],
  ['an attribute twice', '<a b="c" b="c"/>', '<a b="c" c="c"/>'],
  [
    'an attribute twice under two prefixes',
    '<a xmlns:p="urn:p" xmlns:q="urn:p" p:b="" q:b=""/>',
    '<a xmlns:p="urn:p" xmlns:q="urn:q" p:b="" q:b=""/>',
  ],
  ['a line end in an attribute', '<a b="c\nd"/>', '<a b="c d"/>'],
  ['a less-than in an attribute', '<a b="<"/>', '<a b="&lt;"/>'],
  ['a bare ampersand', '<a>b & c</a>', '<a>b &amp; c</a>'],
  ['an entity of its own', '<a>&b;</a>', '<a>&lt;</a>'],
  ['an entity that objects have', '<a>&toString;</a>', '<a>&gt;</a>'],
  ['a character by number', '<a>&#65;</a>', '<a>A</a>'],
  ['a character by hex number', '<a>&#x41;</a>', '<a>A</a>'],
  ['the end of CDATA in text', '<a>]]></a>', '<a>]]&gt;</a>'],
  ['CDATA', '<a><![CDATA[b]]></a>', '<a>b</a>'],
  ['a comment', '<a><!-- b --></a>', '<a> b </a>'],
  ['a comment before the root', '<!-- b --><a/>', ' <a/>'],
  ['a document type', '<!DOCTYPE a><a/>', '<a/>'],
  ['a processing instruction', '<?b c?><a/>', '<?xml version="1.0"?><a/>'],
  ['XML 1.1', '<?xml version="1.1"?><a/>', '<?xml version="1.0" encoding="UTF-8"?><a/>'],
  ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>', '<?xml version="1.0" encoding="utf-8"?><a/>'],
  ['a declaration behind a blank', ' <?xml version="1.0"?><a/>', '<?xml version="1.0"?> <a/>'],
  ['a byte order mark', '\ufeff<a/>', '<a/>'],
  ['a control character', '<a>\u0001</a>', '<a>\t</a>'],
  ['a character beyond ASCII', '<a>é</a>', '<a>e</a>'],
  ['a lone carriage return', '<a>\r</a>', '<a>\r\n</a>'],
  ['a prefix that is not declared', '<p:a/>', '<p:a xmlns:p="urn:p"/>'],
  ['a prefix declared elsewhere', '<a><b xmlns:p="urn:p"/><p:c/></a>', '<a xmlns:p="urn:p"><b/><p:c/></a>'],
  ['an attribute of a prefix that is not declared', '<a p:b=""/>', '<a xmlns:p="urn:p" p:b=""/>'],
  ['a default namespace undeclared', '<a xmlns="urn:a"><b xmlns=""/></a>', '<a xmlns="urn:a"><b xmlns="urn:b"/></a>'],
  ['a prefix undeclared', '<a xmlns:p=""/>', '<a xmlns:p="urn:p"/>'],
  ['the prefix xml', '<a xml:id="b"/>', '<a id="b"/>'],
  ['the prefix xml bound', '<a xmlns:xml="urn:x"/>', '<a xmlns:yml="urn:x"/>'],
  ['the namespace of XML itself', '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>', '<a xmlns:p="urn:p"/>'],
  ['two colons', '<a:b:c xmlns:a="urn:a"/>', '<a:b xmlns:a="urn:a"/>'],
  ['a name that begins with a digit', '<1/>', '<a1/>'],
  ['a name of 65 letters', `<${'a'.repeat(65)}/>`, `<${'a'.repeat(64)}/>`],
  ['14 elements in one another', '<a>'.repeat(14) + '</a>'.repeat(14), '<a>'.repeat(13) + '</a>'.repeat(13)],
  ['4,097 elements', `<a>${'<b/>'.repeat(4096)}</a>`, `<a>${'<b/>'.repeat(4095)}</a>`],
  ['65 attributes', `<a${attributes(65)}/>`, `<a${attributes(64)}/>`],
];

function attributes(count: number): string {
  return Array.from({ length: count }, (_, index) => ` b${index}=""`).join('');
}

describe('parseXml', () => {
  for (const [name, text, twin] of refused) {
    test(`refuses ${name}`, () => {
      expect(outcome(text)).toBe('malformed');
      expect(outcome(twin)).toBe('read');
    });
  }

  test('refuses what is longer than 256 KiB before it reads it', () => {
    expect(outcome(`<a>${' '.repeat(262_144 - 7)}</a>`)).toBe('read');
    expect(outcome(`<a>${' '.repeat(262_144 - 6)}</a>`)).toBe('too-long');
  });

  test('resolves names where they stand', () => {
    const root = parseXml('<a xmlns="urn:d" xmlns:p="urn:p"><p:b c="1" p:c="2"/></a>');
    const [child] = root.children;
    expect(child).toMatchObject({
      namespace: 'urn:p',
      localName: 'b',
      attributes: [
        { namespace: '', localName: 'c', value: '1' },
        { namespace: 'urn:p', localName: 'c', value: '2' },
      ],
    });
  });

  test('reads its own canonical form to the same form', () => {
    const text = '<p:a xmlns:p="urn:p" b="&amp;&quot;"> x &lt; y <c xmlns="urn:d"></c></p:a>';
    expect(canonicalizeXml(parseXml(canonicalizeXml(parseXml(text))))).toBe(text);
  });

  test.each([
    '<'.repeat(200_000),
    '<a '.repeat(80_000),
    `<a${' '.repeat(200_000)}`,
    '<a>&'.repeat(60_000),
    `<a b="${'c'.repeat(250_000)}`,
  ])(
    'refuses without taking its time: %#',
    (text) => {
      expect(outcome(text)).toBe('malformed');
    },
    2000,
  );
});
