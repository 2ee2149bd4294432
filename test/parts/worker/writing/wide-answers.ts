const word = 'incomprehensibilities';
const unbroken = 'x'.repeat(400);
const address = `https://example.org/${'path-without-an-end/'.repeat(20)}?query=${'v'.repeat(200)}`;

/** A paragraph that is wrapped at every width; it stands before and after each wide thing. */
const sentence = 'These words stand in a column, and wherever the column ends they go on in the next line. '.repeat(3);

const columns = (count: number, cell: string) =>
  [
    `| ${Array.from({ length: count }, (_, index) => `${cell} ${index}`).join(' | ')} |`,
    `|${'---|'.repeat(count)}`,
    `| ${Array.from({ length: count }, () => cell).join(' | ')} |`,
  ].join('\n');

const nested = (depth: number, sign: string) =>
  Array.from({ length: depth }, (_, level) => `${' '.repeat(level * sign.length)}${sign}level ${level}`).join('\n');

/** Contents that are wider than any screen, by name. */
export const wideThings: Readonly<Record<string, string>> = {
  'a long line of code': `\`\`\`ts\nconst line = '${unbroken}';\n\`\`\``,
  'a language with a long name': `\`\`\`${'language'.repeat(40)}\ncode\n\`\`\``,
  'indented code': `    ${unbroken}`,
  'code inside a list': `- one\n\n  \`\`\`\n  ${unbroken}\n  \`\`\``,
  'code inside a quote': `> \`\`\`\n> ${unbroken}\n> \`\`\``,
  'inline code': `Before \`${unbroken}\` after.`,
  'a table of many columns': columns(40, 'cell'),
  'a table of long words': columns(3, unbroken),
  'a table of long sentences': columns(4, sentence),
  'a table inside a list': `- one\n\n${columns(20, word).replaceAll(/^/gm, '  ')}`,
  'a table inside a quote': columns(20, word).replaceAll(/^/gm, '> '),
  'code inside a table': columns(4, `\`${unbroken}\``),
  'a long word': unbroken,
  'a long word in bold': `**${unbroken}**`,
  'a long heading': `## ${unbroken}`,
  'a long address': `See ${address} for more.`,
  'a link with a long name': `[${unbroken}](${address})`,
  'a picture': `![${unbroken}](${address}.png)`,
  'a picture inside a table': columns(3, `![a picture](${address}.png)`),
  'a picture inside a list': `- ![a picture](${address}.png)`,
  mathematics: `$$${'\\frac{a_1}{b_1}+'.repeat(60)}c$$`,
  'a deep list': nested(12, '- '),
  'a deep numbered list': nested(10, '1. '),
  'a deep quote': `${'> '.repeat(12)}${sentence}`,
  'quotes and lists': `${'> - '.repeat(6)}${sentence}`,
  'a list with long numbers': '123456789. one\n123456790. two',
  'a list of long words': `- ${unbroken}\n- ${unbroken}`,
  'a task': `- [ ] ${unbroken}`,
  'no-break spaces': 'no break '.repeat(60).replaceAll(' ', '\u00a0'),
  'Chinese without spaces': '这是一个没有空格的很长的句子'.repeat(40),
  'right to left': `${'كلمة '.repeat(80)}\`${unbroken}\``,
  'emoji joined without end': '👩\u200d'.repeat(300),
  'a tower of accents': `a${'\u0315\u0489'.repeat(300)}`,
  'many emoji': '👩‍👩‍👧‍👦'.repeat(120),
  'a footnote': `A claim[^1].\n\n[^1]: ${unbroken}`,
};

/** One wide thing between two paragraphs. */
export function wideAnswer(thing: string): string {
  return `${sentence}\n\n${thing}\n\n${sentence}`;
}

export const wideQuestions: Readonly<Record<string, string>> = {
  'a long word': unbroken,
  'a long line of code': `function f() {\n\t\t\t\treturn '${unbroken}';\n}`,
  'emoji joined without end': '👩\u200d'.repeat(300),
  'a tower of accents': `a${'\u0315\u0489'.repeat(300)}`,
  'many tabs': `a${'\t'.repeat(80)}b`,
  'many spaces': `a${' '.repeat(400)}b`,
  'an address': address,
  'a table': columns(30, 'cell'),
};
