/** Repeats a sign up to a length. */
const fill = (sign: string, length: number): string => sign.repeat(Math.ceil(length / sign.length)).slice(0, length);

/** Joins numbered pieces up to a length. */
function count(length: number, piece: (number: number) => string): string {
  let text = '';
  for (let number = 0; text.length < length; number += 1) text += piece(number);
  return text.slice(0, length);
}

/** Opens, a word, closes: as deep as the length allows. */
function nest(length: number, open: string, close: string): string {
  const depth = Math.floor(length / (open.length + close.length));
  return `${open.repeat(depth)}word${close.repeat(depth)}`;
}

/** Texts on which some parser of Markdown, some highlighter or some layout takes ever longer or goes ever deeper, of any length. */
export const hostileAnswers: Readonly<Record<string, (length: number) => string>> = {
  'list signs on one line': (length) => fill('- ', length),
  'plus signs on one line': (length) => fill('+ ', length),
  'numbers on one line': (length) => fill('1. ', length),
  'quote signs': (length) => fill('>', length),
  'quotes and lists': (length) => fill('> - ', length),
  'ever deeper quotes': (length) => count(length, (depth) => `${'>'.repeat(depth + 1)} a\n`),
  'ever deeper lists': (length) => count(length, (depth) => `${' '.repeat(2 * depth)}- a\n`),
  'a deep quote, then lazy lines': (length) => fill('>', length / 2) + fill('\nb', length / 2),
  'lazy lines after a quote': (length) => `> a\n${fill('b\n', length)}`,
  'lazy lines after an item': (length) => `- a\n${fill('b\n', length)}`,
  'link definitions': (length) => count(length, (number) => `[a${number}]: http://x.y/${number}\n`),
  'definitions, each referred to': (length) =>
    count(length, (number) => `[a${number}]: /${number}\n\n[a${number}]\n\n`),
  'one definition, referred to often': (length) => `${fill('[a] ', length)}\n\n[a]: https://example.org/`,
  'definitions with an open title': (length) => fill('[a]: b "\n', length),
  'stars and underscores': (length) => fill('a*_', length),
  'opening stars': (length) => fill('*a', length),
  'closing stars': (length) => fill('a*', length),
  'open and closed stars': (length) => fill('*a **a ', length),
  'nested emphasis': (length) => nest(length, '_*', '*_'),
  'nested stars': (length) => nest(length, '*', '*'),
  tildes: (length) => fill('~~a', length),
  'opening brackets': (length) => fill('[', length),
  'closing brackets': (length) => fill(']', length),
  'opening pictures': (length) => fill('![', length),
  'opening links': (length) => fill('[a](', length),
  links: (length) => fill('[a](https://b.c) ', length),
  'nested links': (length) => nest(length, '[', '](b)'),
  'nested pictures': (length) => nest(length, '![', '](b)'),
  'opening references': (length) => fill('[a][', length),
  'opening notes': (length) => fill('[^', length),
  'many notes': (length) =>
    count(length / 2, (number) => `word[^${number}] `) + count(length / 2, (number) => `\n\n[^${number}]: note`),
  'one note, referred to often': (length) => `${fill('word[^a] ', length)}\n\n[^a]: note`,
  'less-than signs': (length) => fill('<', length),
  'open tags': (length) => fill('<a b="', length),
  'open comments': (length) => fill('<!--', length),
  'line breaks as tags': (length) => fill('a<br>', length),
  'allowed tags': (length) => fill('<sub>', length),
  'folded parts': (length) => fill('<details>\n<summary>a</summary>\n\na\n\n', length),
  'backticks of every length': (length) => count(length, (number) => `${'`'.repeat(number + 1)}a`),
  'many backticks': (length) => fill('`a', length),
  'empty fences': (length) => fill('```\n', length),
  'fences of every length': (length) => count(length, (number) => `${'~'.repeat(number + 3)}\n`),
  'an open fence': (length) => `\`\`\`ts\n${fill('const a = `${b}`; // c\n', length)}`,
  'one long line of code': (length) => `\`\`\`js\n${fill('a/*b*/=/c/;', length)}\n\`\`\``,
  'code of open strings': (length) => `\`\`\`python\n${fill(`f"{'"""`, length).replaceAll(/.{80}/g, '$&\n')}\n\`\`\``,
  'pipes in a table': (length) => `a|b\n-|-\n${fill('|', length)}`,
  'rows of a table': (length) => `a|b\n-|-\n${fill('a|b\n', length)}`,
  'a wide table': (length) => `${fill('|a', length / 3)}\n${fill('|-', length / 3)}\n${fill('|b', length / 3)}`,
  'ragged rows': (length) => `${fill('|a', length / 3)}\n${fill('|-', length / 3)}\n${fill('|\n', length / 3)}`,
  'heads of tables': (length) => fill('a|b\n-|-\n', length),
  entities: (length) => fill('&amp;', length),
  'open entities': (length) => fill('&#1', length),
  backslashes: (length) => fill('\\', length),
  'underlined headings': (length) => fill('a\n=\n', length),
  headings: (length) => fill('# a\n', length),
  rules: (length) => fill('***\n', length),
  'short lines': (length) => fill('a\n', length),
  'short paragraphs': (length) => fill('a\n\n', length),
  'empty lines': (length) => fill('\n', length),
  'blank lines of spaces': (length) => fill('  \n', length),
  tabs: (length) => fill('\ta\n', length),
  spaces: (length) => `a${fill(' ', length)}b`,
  'www dots': (length) => fill('www.', length),
  'web addresses': (length) => fill('http://a.b ', length),
  'mail addresses': (length) => fill('a@b.c ', length),
  'signs of mail': (length) => fill('a@a.', length),
  'an address with entities': (length) => `www.a.b/${fill('&a;', length)}`,
  'an address with brackets': (length) => `www.a.b/${fill('(', length)}`,
  items: (length) => fill('- a\n', length),
  'items apart': (length) => fill('- a\n\n', length),
  'empty items': (length) => fill('-\n', length),
  'lists of one item': (length) => fill('* a\n+ b\n', length),
  tasks: (length) => fill('- [ ] a\n', length),
  formulas: (length) => fill('$a_b^c$ ', length),
  'open formulas': (length) => fill('\\(a ', length),
  dollars: (length) => fill('$$a ', length),
  'no line end': (length) => fill('a', length),
  'stacked accents': (length) => fill('a\u0300\u0301\u0302\u0303', length),
  'reversed words': (length) => fill('\u202eab \u2066', length),
  'lone surrogates': (length) => fill('a\ud800', length),
  'zero characters': (length) => fill('a\0', length),
  'zero width': (length) => fill('\u200b', length),
  'family emoji': (length) => fill('👨‍👩‍👧 ', length),
};
