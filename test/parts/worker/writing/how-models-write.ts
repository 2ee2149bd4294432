export type WrittenAnswer = {
  readonly text: string;
  /** The words that a reader sees, line by line; cells are parted by ` | `. */
  readonly seen: string;
  /** How many elements of a selector there are. */
  readonly has?: Readonly<Record<string, number>>;
};

/** How models write, and what a reader must see of it. */
export const howModelsWrite: Readonly<Record<string, WrittenAnswer>> = {
  'single tildes': { text: 'About 3~4 or 7~8 days.', seen: 'About 3~4 or 7~8 days.', has: { del: 0 } },
  'double tildes': { text: '~~old~~ new', seen: 'old new', has: { del: 1 } },
  'single newlines': {
    text: 'Roses are red\nViolets are blue\n\nName: Ada\nAge: 36',
    seen: 'Roses are red\nViolets are blue\nName: Ada\nAge: 36',
    has: { br: 2, p: 2 },
  },
  'newlines in items': { text: '- one\n  still one\n- two', seen: 'one\nstill one\ntwo', has: { li: 2, br: 1 } },
  'newlines in code': { text: '```\na\nb\n```', seen: 'text\na\nb', has: { br: 0 } },
  'breaks as tags': { text: 'a<br>b<br/>c<BR />d', seen: 'a\nb\nc\nd', has: { br: 3 } },
  'breaks in cells': {
    text: '| step | what |\n|---|---|\n| 1 | mix<br>add<br/>knead |',
    seen: 'step | what\n1 | mix\nadd\nknead',
    has: { 'td br': 2 },
  },
  'small tags': {
    text: 'H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>+<kbd>C</kbd>, <u>under</u>, <mark>marked **bold**</mark>, <b>b</b>',
    seen: 'H2O, x2, Ctrl+C, under, marked bold, b',
    has: { sub: 1, sup: 1, kbd: 2, u: 1, mark: 1, strong: 2 },
  },
  'tags without an end': { text: 'a <sub>b and </sup> c', seen: 'a <sub>b and </sup> c', has: { sub: 0, sup: 0 } },
  'tags with attributes': {
    text: '<sub onclick="alert(1)">x</sub> <a href="https://evil.example">y</a>',
    seen: '<sub onclick="alert(1)">x</sub> <a href="https://evil.example">y</a>',
    has: { sub: 0, a: 0 },
  },
  'other tags': {
    text: '<div align="center">**bold**</div>\n\n<script>alert(1)</script> <img src=x onerror=alert(1)>',
    seen: '<div align="center">bold</div>\n<script>alert(1)</script> <img src=x onerror=alert(1)>',
    has: { script: 0, img: 0, strong: 1 },
  },
  'folded parts': {
    text: '<details>\n<summary>More</summary>\n\nInner **bold** text\n\n</details>\n\nAfter.',
    seen: 'More\nAfter.',
    has: { details: 1, summary: 1, 'details strong': 1 },
  },
  'folded parts on one line': {
    text: '<details><summary>More</summary>\nInner\n</details>\nAfter.',
    seen: 'More\nAfter.',
    has: { details: 1 },
  },
  comments: { text: 'Before <!-- hidden --> after.\n\n<!-- note\n\nto self -->\n\nEnd.', seen: 'Before after.\nEnd.' },
  'a comment that never ends': { text: 'Before <!-- and on.', seen: 'Before <!-- and on.' },
  'bold in Chinese': {
    text: '这是**“加粗”**文字，还有**重点：**后面。',
    seen: '这是“加粗”文字，还有重点：后面。',
    has: { strong: 2 },
  },
  'bold in Chinese, twice': { text: '**甲。**乙**丙**', seen: '甲。乙丙', has: { strong: 2 } },
  'bold in Japanese': { text: 'これは**「強調」**です。', seen: 'これは「強調」です。', has: { strong: 1 } },
  'bold in Korean': {
    text: '**중요:**는 이것. **한국어(Korean)**를',
    seen: '중요:는 이것. 한국어(Korean)를',
    has: { strong: 2 },
  },
  'bold in Latin': {
    text: '**bold**, un**frigging**believable, 2 * 3 * 4',
    seen: 'bold, unfriggingbelievable, 2 * 3 * 4',
    has: { strong: 2 },
  },
  'bold with spaces': { text: '** bold ** and **left ** then', seen: 'bold and left then', has: { strong: 2 } },
  powers: { text: '2 ** 3 ** 4 is 2 to the 81', seen: '2 ** 3 ** 4 is 2 to the 81', has: { strong: 0 } },
  'bold and italic': {
    text: '***both*** and _it_ and snake_case_name',
    seen: 'both and it and snake_case_name',
    has: { em: 2, strong: 1 },
  },
  'pipes in code in a cell': {
    text: '| expr | meaning |\n|---|---|\n| `a \\| b` | or |\n| `x || y` | logical or |',
    seen: 'expr | meaning\na | b | or\nx || y | logical or',
    has: { 'td code': 2 },
  },
  'rows with more cells than the head': {
    text: '| a |\n|---|\n| 1 | 2 | 3 |',
    seen: 'a |  | \n1 | 2 | 3',
    has: { td: 3 },
  },
  'a table after words': {
    text: 'Words:\n| a | b |\n|---|---|\n| 1 | 2 |',
    seen: 'Words:\na | b\n1 | 2',
    has: { table: 1 },
  },
  'formulas in a line': {
    text: 'Let \\(a_1 * b_1 * c\\) and $x_i*y_i*z$ and $\\{a\\}$.',
    seen: 'Let \\(a_1 * b_1 * c\\) and $x_i*y_i*z$ and $\\{a\\}$.',
    has: { em: 0 },
  },
  'formulas in lines of their own': {
    text: '\\[\n\\frac{a_1}{b} = c_1 * d\n- e \\\\\n\\]\n\n$$\na * b * c\n$$\n\nAfter.',
    seen: '\\[\n\\frac{a_1}{b} = c_1 * d\n- e \\\\\n\\]\n$$\na * b * c\n$$\nAfter.',
    has: { em: 0, li: 0 },
  },
  'formulas in a cell': { text: '| a |\n|---|\n| $|x|$ |', seen: 'a\n$|x|$' },
  'formulas in an item': {
    text: '1. First:\n   $$a_1 * b * c$$\n2. Second',
    seen: 'First:\n$$a_1 * b * c$$\nSecond',
    has: { li: 2, em: 0 },
  },
  amounts: {
    text: 'It costs $5, later $9, or $1,000 to $2,000 *now*.',
    seen: 'It costs $5, later $9, or $1,000 to $2,000 now.',
    has: { em: 1 },
  },
  'dollars in code': { text: '`echo $HOME $PATH` and **bold**', seen: 'echo $HOME $PATH and bold', has: { strong: 1 } },
  tasks: { text: '- [x] done\n- [ ] open', seen: 'done\nopen', has: { 'input[type=checkbox]': 2 } },
  'fences around fences': {
    text: '````markdown\n```js\nx\n```\n````\n\nAfter.',
    seen: 'markdown\n```js\nx\n```\nAfter.',
    has: { pre: 1 },
  },
  'a fence inside an item': {
    text: '1. one\n   ```js\n   const a = 1;\n\n   b\n   ```\n2. two',
    seen: 'one\njs\nconst a = 1;\n\nb\ntwo',
    has: { ol: 1, pre: 1 },
  },
  'a fence between items': {
    text: '1. one\n```js\nx\n```\n2. two',
    seen: 'one\njs\nx\ntwo',
    has: { 'ol[start="2"]': 1, pre: 1 },
  },
  'a fence that is not closed': { text: 'So:\n```py\nprint(1)', seen: 'So:\npy\nprint(1)', has: { pre: 1 } },
  'numbers that begin anew': { text: '1. a\n2. b\n\nThen:\n\n1. c', seen: 'a\nb\nThen:\nc', has: { ol: 2 } },
  'numbers that go on': { text: '3. three\n4. four', seen: 'three\nfour', has: { 'ol[start="3"]': 1 } },
  'items apart': {
    text: '- one\n\n- two\n\n  more of two\n\nAfter.',
    seen: 'one\ntwo\nmore of two\nAfter.',
    has: { ul: 1, li: 2 },
  },
  'headings without a space': { text: '##Heading\n\n#tag stays', seen: 'Heading\n#tag stays', has: { 'h2, h3': 1 } },
  'headings between words': { text: 'Words\n## Heading\nMore', seen: 'Words\nHeading\nMore', has: { h3: 1, p: 2 } },
  'an indented paragraph': {
    text: 'Words.\n\n    Indented **words**.',
    seen: 'Words.\nIndented words.',
    has: { pre: 0, strong: 1 },
  },
  'links with brackets': {
    text: '[a](https://en.wikipedia.org/wiki/A_(b)) and <https://example.org/x> and https://example.org/y.',
    seen: 'a and https://example.org/x and https://example.org/y.',
    has: { a: 3 },
  },
  'links with spaces': { text: '[a](<https://example.org/a b>)', seen: 'a', has: { a: 1 } },
  'definitions elsewhere': {
    text: 'See [the docs][1].\n\nMore.\n\n[1]: https://example.org/',
    seen: 'See the docs.\nMore.',
    has: { a: 1 },
  },
  entities: { text: 'a &amp; b &lt;c&gt; &copy; AT&T', seen: 'a & b <c> © AT&T' },
  escapes: { text: '\\*no\\* and 1\\. no list', seen: '*no* and 1. no list', has: { em: 0, li: 0 } },
  footnotes: {
    text: 'Water boils[^1] and freezes[^b].\n\n[^1]: At 100 °C.\n[^b]: At 0 °C, see [site](https://example.org/x).',
    seen: 'Water boils1 and freezes2.\nAt 100 °C.\n↩\nAt 0 °C, see site.\n↩',
    has: { 'sup a': 2, 'section li': 2 },
  },
  'a footnote without its note': { text: 'A claim[^9].', seen: 'A claim[^9].' },
  emoji: { text: '👩‍👩‍👧 **👍🏽** :smile:', seen: '👩‍👩‍👧 👍🏽 :smile:', has: { strong: 1 } },
  Arabic: { text: 'مرحبا `code` هنا', seen: 'مرحبا code هنا', has: { 'p[dir=auto] code': 1 } },
  quotes: { text: '> one\n> two\n>\n> three', seen: 'one\ntwo\nthree', has: { blockquote: 1, p: 2 } },
  'stars as rules': { text: 'a\n\n***\n\nb', seen: 'a\nb', has: { hr: 1 } },
  'sources that nothing names': {
    text: 'Facts.\n\n[1]: https://example.com/a\n[2]: https://example.org/b "Title"',
    seen: 'Facts.\n[1]: https://example.com/a\n[2]: https://example.org/b "Title"',
    has: { a: 2 },
  },
  'labels like definitions': {
    text: '[Answer]: 42\n[Name]: John',
    seen: '[Answer]: 42\n[Name]: John',
    has: { br: 1, a: 0 },
  },
  'definitions of which one is named': {
    text: 'See [one].\n\n[one]: https://a.example\n[Date]: 2026-05-01\n\nEnd',
    seen: 'See one.\n[Date]: 2026-05-01\nEnd',
    has: { a: 1 },
  },
  'a comment alone': { text: '<!-- hidden -->', seen: '<!-- hidden -->' },
  'code in an item at the margin': {
    text: '1. Do:\n   ```py\ndef f():\n    return 1\n   ```\n2. Next **b**\n\nAfter **c**',
    seen: 'Do:\npy\ndef f():\n    return 1\nNext b\nAfter c',
    has: { ol: 1, 'li pre': 1, strong: 2 },
  },
  'a fence of an item that closes at the margin': {
    text: '- a\n  ```js\n  x\n\n  y\n```\n- b\n  - c\n    ```\n  z\n    ```\n\nAfter **c**',
    seen: 'a\njs\nx\n\ny\nb\nc\ntext\nz\nAfter c',
    has: { 'li pre': 2, pre: 2, strong: 1 },
  },
  'lists in the code of an item': {
    text: '1. Set:\n   ```yaml\nlist:\n- a\n   ```\n2. Next',
    seen: 'Set:\nyaml\nlist:\n- a\nNext',
    has: { ol: 1, ul: 0, li: 2 },
  },
  'patterns of files': {
    text: 'In src/**/*.ts and test/**/*.ts, app/*.js and lib/*.js; **src/**: code, **/etc/hosts**, **.gitignore**.',
    seen: 'In src/**/*.ts and test/**/*.ts, app/*.js and lib/*.js; src/: code, /etc/hosts, .gitignore.',
    has: { em: 0, strong: 3 },
  },
  'stars in brackets': {
    text: 'COUNT(*) and SUM(*), a[*] and b[*]; (*it*) and (**bold**)',
    seen: 'COUNT(*) and SUM(*), a[*] and b[*]; (it) and (bold)',
    has: { em: 1, strong: 1 },
  },
  'patterns of text': {
    text: 'Use .*foo.* or ^.*$ or a.*b and c.*d. *Italic words.* End.',
    seen: 'Use .*foo.* or ^.*$ or a.*b and c.*d. Italic words. End.',
    has: { em: 1 },
  },
  'comments of C': {
    text: 'Write /* a */ and /* b */ there.',
    seen: 'Write /* a */ and /* b */ there.',
    has: { em: 0 },
  },
  'numbers hidden in part': {
    text: 'Call 138****5678 or 139****1234, key AB***CD or EF***GH.',
    seen: 'Call 138****5678 or 139****1234, key AB***CD or EF***GH.',
    has: { 'em, strong': 0 },
  },
  'struck out beside Chinese': {
    text: '~~删除。~~文字，~~旧：~~新；~~"x"~~文，3~~4 ~~~no~~~',
    seen: '删除。文字，旧：新；"x"文，3~~4 ~~~no~~~',
    has: { del: 3 },
  },
  'bold that ends in signs of other scripts': {
    text: 'यह **महत्वपूर्ण।**है و**مهم،**نص',
    seen: 'यह महत्वपूर्ण।है ومهم،نص',
    has: { strong: 2 },
  },
  'line ends of CR alone': {
    text: 'a\rb\r\r- c\r- d\r\r```js\rx\r```\rEnd[^1]\r\r[^1]: Note.',
    seen: 'a\nb\nc\nd\njs\nx\nEnd1\nNote.\n↩',
    has: { br: 1, li: 3, pre: 1, 'section li': 1 },
  },
  'blank lines in formulas': {
    text: '\\[\n\na_1 * b_1 * c\n\n\\]\n\n\\begin{align}\na\n\n- b\n\\end{align}\n\nThen **b**.',
    seen: '\\[\na_1 * b_1 * c\n\\]\n\\begin{align}\na\n- b\n\\end{align}\nThen b.',
    has: { li: 0, strong: 1 },
  },
  'a long formula in an item': {
    text: `1. So:\n   \\[\n${'   x_{1} * y_{1} * z \\\\\\\\\n'.repeat(46)}   \\]\n2. next`,
    seen: `So:\n\\[\n${'x_{1} * y_{1} * z \\\\\\\\\n'.repeat(46)}\\]\nnext`,
    has: { em: 0, li: 2 },
  },
  'private characters': { text: '$a\ue130$ and \ue131', seen: '$a\ue130$ and \ue131' },
};
