import type { WrittenAnswer } from './how-models-write.ts';

/** More of how models write, after reports about other products, and what a reader must see of it. */
export const otherWaysToWrite: Readonly<Record<string, WrittenAnswer>> = {
  'addresses before Chinese signs': {
    text: '访问 https://example.com/docs（中文说明）了解更多，见https://example.com/guide，详见。去 https://example.com。',
    seen: '访问 https://example.com/docs（中文说明）了解更多，见https://example.com/guide，详见。去 https://example.com。',
    has: {
      'a[href="https://example.com/docs"]': 1,
      'a[href="https://example.com/guide"]': 1,
      'a[href="https://example.com/"]': 1,
    },
  },
  'addresses in Japanese brackets': {
    text: '「https://example.com/a」と【https://example.com/b】、https://example.com/c！',
    seen: '「https://example.com/a」と【https://example.com/b】、https://example.com/c！',
    has: {
      'a[href="https://example.com/a"]': 1,
      'a[href="https://example.com/b"]': 1,
      'a[href="https://example.com/c"]': 1,
    },
  },
  'addresses with brackets and signs behind': {
    text: '(see https://en.wikipedia.org/wiki/A_(b)) and https://example.org/x?y=1&z=2! **https://example.org/z**.',
    seen: '(see https://en.wikipedia.org/wiki/A_(b)) and https://example.org/x?y=1&z=2! https://example.org/z.',
    has: {
      'a[href="https://en.wikipedia.org/wiki/A_(b)"]': 1,
      'a[href="https://example.org/x?y=1&z=2"]': 1,
      'strong a[href="https://example.org/z"]': 1,
    },
  },
  'mail addresses': {
    text: 'Write to a.b+c@example.org, or <x@example.org>; git@github.com:user/repo.git',
    seen: 'Write to a.b+c@example.org, or x@example.org; git@github.com:user/repo.git',
    has: { 'a[href="mailto:a.b+c@example.org"]': 1 },
  },
  'links without words': {
    text: 'See [](https://example.org/a) now.',
    seen: 'See https://example.org/a now.',
    has: { a: 1 },
  },
  'links to files': {
    text: 'See [the readme](./README.md) and [call](tel:+4930) and [below](#part).',
    seen: 'See the readme (./README.md) and call (tel:+4930) and below.',
    has: { a: 0 },
  },
  'types in angles': {
    text: 'HashMap<String, Vec<u8>> and List<int> and <pod-name> and 3 < 4 > 2.',
    seen: 'HashMap<String, Vec<u8>> and List<int> and <pod-name> and 3 < 4 > 2.',
  },
  declarations: {
    text: 'Put <!DOCTYPE html> first, <?php echo 1 ?> and <![CDATA[x]]> too.',
    seen: 'Put <!DOCTYPE html> first, <?php echo 1 ?> and <![CDATA[x]]> too.',
  },
  'products of numbers': { text: '2*3*4 = 24 and a*b*c, 5*x*2.', seen: '2*3*4 = 24 and a*b*c, 5*x*2.', has: { em: 0 } },
  'powers without spaces': {
    text: '2**3 + 3**2, x**2 + y**2, 10**n + 2**n.',
    seen: '2**3 + 3**2, x**2 + y**2, 10**n + 2**n.',
    has: { strong: 0 },
  },
  'bold numbers with a unit': {
    text: '**3**x faster, **5**GB, the **1**st, *n*th',
    seen: '3x faster, 5GB, the 1st, nth',
    has: { strong: 3, em: 1 },
  },
  'names of Python': {
    text: 'The __init__ method, __name__ == "__main__", __init__.py and obj.__dict__; __really__ bold.',
    seen: 'The __init__ method, __name__ == "__main__", __init__.py and obj.__dict__; really bold.',
    has: { strong: 1 },
  },
  'arguments of Python': {
    text: 'f(*args, **kwargs) and g(*args, **kwargs)',
    seen: 'f(*args, **kwargs) and g(*args, **kwargs)',
    has: { em: 0, strong: 0 },
  },
  'bold that ends in a sign': {
    text: '**Note:**text, **Step 1.**Go, He said **"yes"**and left.',
    seen: 'Note:text, Step 1.Go, He said "yes"and left.',
    has: { strong: 3 },
  },
  'bold in Thai': {
    text: 'นี่คือ**“ตัวหนา”**ข้อความ และ**หมายเหตุ:**ข้อความ',
    seen: 'นี่คือ“ตัวหนา”ข้อความ และหมายเหตุ:ข้อความ',
    has: { strong: 2 },
  },
  'italic in Chinese': {
    text: '这是*强调*文字，还有*“引用”*文字。',
    seen: '这是强调文字，还有“引用”文字。',
    has: { em: 2 },
  },
  'signs of comparison in items': {
    text: '- > 25: expensive\n- >= 10: fair\n- < 10: cheap',
    seen: '> 25: expensive\n>= 10: fair\n< 10: cheap',
    has: { li: 3, blockquote: 0 },
  },
  'dashes under a sentence': {
    text: 'This is a whole sentence.\n---\nAnd another one.',
    seen: 'This is a whole sentence.\nAnd another one.',
    has: { hr: 1, h3: 0 },
  },
  'dashes under several lines': { text: 'One\nTwo\n---\nThree', seen: 'One\nTwo\nThree', has: { hr: 1, h3: 0 } },
  'headings by underline': {
    text: 'Title\n=====\n\nPart\n----\n\nWords',
    seen: 'Title\nPart\nWords',
    has: { h2: 1, h3: 1 },
  },
  'short dashes under words': {
    text: 'Words\n-\n\nWords\n--\n\nSum\n=',
    seen: 'Words\n-\nWords\n--\nSum\n=',
    has: { 'h2, h3': 0 },
  },
  'Windows line ends': {
    text: 'a\r\nb\r\n\r\n- c\r\n- d\r\n\r\n| e | f |\r\n|---|---|\r\n| 1 | 2 |\r\n\r\n```js\r\nx\r\ny\r\n```\r\nEnd',
    seen: 'a\nb\nc\nd\ne | f\n1 | 2\njs\nx\ny\nEnd',
    has: { br: 1, li: 2, td: 2, pre: 1 },
  },
  'hard breaks': { text: 'a  \nb\\\nc', seen: 'a\nb\nc', has: { br: 2 } },
  'tabs after list signs': {
    text: '-\tone\n-\ttwo\n\n1.\tfirst\n2.\tsecond',
    seen: 'one\ntwo\nfirst\nsecond',
    has: { li: 4 },
  },
  'no-break spaces': { text: '10\u00a0000\u00a0€ and\u202f%', seen: '10\u00a0000\u00a0€ and\u202f%' },
  'signs of other lists': {
    text: '• one\n• two\n\n① eins\n② zwei\n\na) x\nb) y\n\ni. p\nii. q',
    seen: '• one\n• two\n① eins\n② zwei\na) x\nb) y\ni. p\nii. q',
    has: { br: 4 },
  },
  'a countdown': {
    text: '3. three\n2. two\n1. one',
    seen: 'three\ntwo\none',
    has: { 'li[value="2"]': 1, 'li[value="1"]': 1 },
  },
  'numbers with gaps': {
    text: '1. a\n2. b\n5. c\n6. d\n10. e',
    seen: 'a\nb\nc\nd\ne',
    has: { 'li[value="5"]': 1, 'li[value="10"]': 1, 'li[value="6"]': 0 },
  },
  'numbers that stay': { text: '1. a\n1. b\n1. c', seen: 'a\nb\nc', has: { 'li[value]': 0, li: 3 } },
  'numbers with text between': {
    text: '1. Alex\n\nText between\n\n2. Sophia\nmore\n\n3. Felipe',
    seen: 'Alex\nText between\nSophia\nmore\nFelipe',
    has: { 'ol[start="2"]': 1 },
  },
  'points under a number': { text: '1. one\n  - sub\n2. two\n   - sub two', seen: 'one\nsub\ntwo\nsub two' },
  'years that begin a line': { text: '1986. A great year.', seen: 'A great year.', has: { 'ol[start="1986"]': 1 } },
  'tasks of every kind': {
    text: '* [ ] a\n* [X] b\n\n1. [x] c\n\n- [-] d',
    seen: 'a\nb\nc\n[-] d',
    has: { 'input[type=checkbox]': 3, 'input:checked': 2 },
  },
  'a table without outer pipes': {
    text: 'a | b\n--- | ---\n1 | 2\n3 | 4',
    seen: 'a | b\n1 | 2\n3 | 4',
    has: { td: 4 },
  },
  'a table with short dashes': { text: '|a|b|\n|-|:-:|\n|1|2|', seen: 'a | b\n1 | 2', has: { td: 2 } },
  'rows with fewer cells': {
    text: '| a | b | c |\n|---|---|---|\n| 1 |\n|  | 2 |  |',
    seen: 'a | b | c\n1 |  | \n | 2 |',
    has: { tr: 3 },
  },
  'words right after a table': {
    text: '| a | b |\n|---|---|\n| 1 | 2 |\nAfter the table.',
    seen: 'a | b\n1 | 2\nAfter the table.',
    has: { td: 2, p: 1 },
  },
  'a table without its rule': { text: '| a | b |\n| 1 | 2 |', seen: '| a | b |\n| 1 | 2 |', has: { table: 0 } },
  'a rule of other width': {
    text: '| a | b | c |\n|---|---|\n| 1 | 2 | 3 |',
    seen: 'a | b | c\n1 | 2 | 3',
    has: { td: 3 },
  },
  'a table in an item': {
    text: '1. one\n\n   | a | b |\n   |---|---|\n   | 1 | 2 |\n2. two',
    seen: 'one\na | b\n1 | 2\ntwo',
    has: { 'li table': 1 },
  },
  'tags in a table': {
    text: '| a |\n|---|\n| x<sup>2</sup><br>`<br>` |',
    seen: 'a\nx2\n<br>',
    has: { 'td sup': 1, 'td br': 1 },
  },
  'tags for code': {
    text: 'Press <code>ls</code>, <samp>ok</samp>, <var>x</var>, <strike>old</strike>.',
    seen: 'Press ls, ok, x, old.',
    has: { code: 1, del: 1 },
  },
  'entities in code': {
    text: '`&lt;b&gt;` and &lt;b&gt; and &#8364; &nbsp;|',
    seen: '&lt;b&gt; and <b> and € \u00a0|',
  },
  'a fence with more than a language': {
    text: '```python title="a.py" {1,2}\nx = 1\n```\n\n``` js\ny\n```\n\n```c++\nz\n```',
    seen: 'python\nx = 1\njs\ny\nc++\nz',
    has: { pre: 3 },
  },
  'a fence after words': {
    text: 'Run this: ```bash\nls -l\ncd /\n```\nThen go.',
    seen: 'Run this:\nbash\nls -l\ncd /\nThen go.',
    has: { pre: 1 },
  },
  'fences of one length inside each other': {
    text: '```markdown\n# Title\n\n```bash\nls\n```\n\nEnd of it.\n```\n\nAfter **all**.',
    seen: 'markdown\n# Title\n\n```bash\nls\n```\n\nEnd of it.\nAfter all.',
    has: { pre: 1, strong: 1 },
  },
  'a fence in a quote': {
    text: '> Look:\n> ```js\n> a\n>\n> b\n> ```\n> So.',
    seen: 'Look:\njs\na\n\nb\nSo.',
    has: { 'blockquote pre': 1 },
  },
  'a fence of tildes': {
    text: '~~~sh\necho `a`\n```\n~~~\nAfter.',
    seen: 'sh\necho `a`\n```\nAfter.',
    has: { pre: 1 },
  },
  'code with backticks inside': {
    text: '`` a`b `` and ``` ``x`` ``` and `c``d`',
    seen: 'a`b and ``x`` and c``d',
    has: { code: 3 },
  },
  'formulas that end nowhere': {
    text: 'Let $x_1 + y_1 and \\(a_1 * b_1 * c and on.\n\n\\[\na_1 * b_1 * c',
    seen: 'Let $x_1 + y_1 and \\(a_1 * b_1 * c and on.\n\\[\na_1 * b_1 * c',
    has: { em: 0 },
  },
  'formulas without marks': {
    text: '\\begin{align}\na_1 &= b_1 * c_1 * d \\\\\n- e\n\\end{align}\n\nAfter. And \\begin{matrix} a_1 \\\\ b_1 * c * d \\end{matrix} here.',
    seen: '\\begin{align}\na_1 &= b_1 * c_1 * d \\\\\n- e\n\\end{align}\nAfter. And \\begin{matrix} a_1 \\\\ b_1 * c * d \\end{matrix} here.',
    has: { em: 0, li: 0 },
  },
  'amounts of other countries': {
    text: 'R$ 12,29/metro, **R$ 15,83**, US$5 to US$6, $2bn to at least $4bn, **$148+ → $19**, $100-$200, A$1.',
    seen: 'R$ 12,29/metro, R$ 15,83, US$5 to US$6, $2bn to at least $4bn, $148+ → $19, $100-$200, A$1.',
    has: { strong: 2 },
  },
  'chemistry in other signs': {
    text: 'H~2~O, x^2^, ~5 and ~6, ~/.bashrc ~/.zshrc',
    seen: 'H~2~O, x^2^, ~5 and ~6, ~/.bashrc ~/.zshrc',
    has: { del: 0, sub: 0 },
  },
  'headings that are none': {
    text: '#1 choice\n\n#️⃣ keys\n\n# Real #\n\n####### seven',
    seen: '#1 choice\n#️⃣ keys\nReal\n####### seven',
    has: { h2: 1 },
  },
  'notes of many kinds': {
    text: 'One[^a], again[^a] and 【1†source】 and [1].\n[^a]: The note.',
    seen: 'One1, again1 and 【1†source】 and [1].\nThe note.\n↩',
    has: { 'sup a': 2 },
  },
  'marked quotes': {
    text: '> [!NOTE]\n> Be careful.\n\n:::tip\nHi\n:::',
    seen: '[!NOTE]\nBe careful.\n:::tip\nHi\n:::',
    has: { blockquote: 1 },
  },
  'styles of a terminal': {
    text: 'Run: \u001b[31mred\u001b[0m and \u001b[1mbold\u001b[0m.',
    seen: 'Run: \u001b[31mred\u001b[0m and \u001b[1mbold\u001b[0m.',
  },
  'invisible characters': {
    text: 'a\u00adb c\u200dd e\u200cf g\u200bh i\u2060j \u200fk\u200e',
    seen: 'a\u00adb c\u200dd e\u200cf g\u200bh i\u2060j \u200fk\u200e',
  },
  'control characters': { text: 'a\u0007b\u0008c\u007fd\u0085e', seen: 'a\u0007b\u0008c\u007fd\u0085e' },
  'scripts without spaces': {
    text: 'ภาษาไทย**ตัวหนา**ภาษา ភាសា**ខ្មែរ**ភាសា မြန်မာ**စာ**မြန်မာ',
    seen: 'ภาษาไทยตัวหนาภาษา ភាសាខ្មែរភាសា မြန်မာစာမြန်မာ',
    has: { strong: 3 },
  },
  'Hebrew with signs': { text: '**הערה:** טקסט, **"ציטוט"**המשך', seen: 'הערה: טקסט, "ציטוט"המשך', has: { strong: 2 } },
};
