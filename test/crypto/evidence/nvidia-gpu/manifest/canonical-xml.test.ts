import { describe, expect, test } from 'vitest';
import { canonicalizeXml } from '../../../../../crypto/evidence/nvidia-gpu/manifest/canonical-xml.ts';
import { elementsOf } from '../../../../../crypto/evidence/nvidia-gpu/manifest/xml-signature.ts';
import { parseXml } from '../../../../../crypto/evidence/nvidia-gpu/manifest/xml-reader.ts';

const canonical = (text: string) => canonicalizeXml(parseXml(text));

describe('canonicalizeXml', () => {
  test('writes start and end tags as in the example of C14N §3.3, without what this reader refuses', () => {
    const source = `<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
</doc>`.replace('name = ', 'name=');
    expect(canonical(source)).toBe(`<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
</doc>`);
  });

  test('sorts attributes by namespace and name, and leaves out declarations that repeat (C14N §3.3)', () => {
    const source = `<doc>
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e7 xmlns="http://www.ietf.org">
       <e8 xmlns="http://www.ietf.org">
           <e9 xmlns="http://www.w3.org" xmlns:a="http://www.ietf.org"></e9>
       </e8>
   </e7>
</doc>`;
    expect(canonical(source)).toBe(`<doc>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e7 xmlns="http://www.ietf.org">
       <e8>
           <e9 xmlns="http://www.w3.org" xmlns:a="http://www.ietf.org"></e9>
       </e8>
   </e7>
</doc>`);
  });

  test('escapes in text what text needs, and in values what values need', () => {
    expect(canonical('<a b="&amp;&lt;&gt;&quot;&apos;">&amp;&lt;&gt;&quot;&apos;</a>')).toBe(
      '<a b="&amp;&lt;>&quot;\'">&amp;&lt;&gt;"\'</a>',
    );
  });

  test('gives a part of a document all the namespaces that hold there', () => {
    const root = parseXml('<r xmlns="urn:d" xmlns:p="urn:p"><p:s xmlns:q="urn:q"><q:t/></p:s></r>');
    const [part] = elementsOf(root);
    expect(canonicalizeXml(part!)).toBe('<p:s xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><q:t></q:t></p:s>');
  });

  test('leaves out the one element that it is told, and keeps the blanks around it', () => {
    const root = parseXml('<r> <a/> <a/> </r>');
    expect(canonicalizeXml(root, elementsOf(root)[1])).toBe('<r> <a></a>  </r>');
  });

  test('declares a prefix again where it means something else', () => {
    const twice = '<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"></p:c></p:b></p:a>';
    expect(canonical(twice)).toBe(twice);
  });
});
