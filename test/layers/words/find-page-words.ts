import { parseAst } from 'rolldown/parseAst';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Attributes that no person reads, whatever stands in them. */
const technical =
  /^(?:key|id|ids|page|type|role|name|code|htmlFor|href|target|rel|className|dir|look|tone|side|align|width|source|d|fill|stroke\w*|viewBox|opacity|focusable|encType|autoComplete|autoCapitalize|autoCorrect|enterKeyHint|translate|positionMethod|aria-(?:hidden|live|haspopup|labelledby|describedby|atomic|current|invalid|busy|modal)|data-(?:testid|announcer))$/;

/** Two words beside each other that are no class names, or a word that begins like a sentence. */
const readsLikeWords = (text: string): boolean =>
  /^\p{Lu}\p{Ll}+(?:[\s.,:…]|$)/u.test(text) || /(?:^|\s)[\p{L}’']+[.,:;!?…]?\s[\p{L}’']+(?:[\s.,:;!?…]|$)/u.test(text);
const hasLetters = (text: string): boolean => /\p{L}{2}|\p{L}\s/u.test(text);

/** Names of the platform's that no person is shown, selectors, and the one name that is the same in all languages. */
const platformWords =
  /^(?:Enter|Escape|Home|End|PageUp|PageDown|Arrow(?:Up|Down|Left|Right)|Key[A-Z]|Files|Mac|Details)$|^[[#]|^Sotto$/;

/**
 * Words that a person could read in a file of the page, each as `line: words`. They belong into client/page/texts/<language>/.
 *
 * @param text - A .ts or .tsx file outside of that folder.
 */
export function findPageWords(path: string, text: string): string[] {
  const found: string[] = [];
  const report = (node: Node, words: string): void => {
    found.push(`${text.slice(0, node.start).split('\n').length}: ${words.trim().slice(0, 60)}`);
  };
  visit(parseAst(text, { lang: path.endsWith('.tsx') ? 'tsx' : 'ts' }) as unknown as Node, 'code');
  return found;

  /** @param place - `shown` where any word at all would be read. */
  function visit(node: Node, place: 'code' | 'shown'): void {
    switch (node.type) {
      case 'JSXText':
        judge(node, String(node['value']), 'shown');
        return;
      case 'JSXAttribute':
        if (!technical.test(nameOf(node['name'] as Node))) visitAll(node['value'], 'shown');
        return;
      case 'Literal':
        if (typeof node['value'] === 'string') judge(node, node['value'], place);
        return;
      case 'TemplateLiteral':
        judge(node, templateText(node), place);
        visitAll(node['expressions'], place === 'shown' ? 'code' : place);
        return;
      case 'JSXExpressionContainer':
        visitAll(node['expression'], shows(node['expression']) ? 'shown' : 'code');
        return;
      case 'ConditionalExpression':
        visitAll(node['test'], 'code');
        visitAll([node['consequent'], node['alternate']], place);
        return;
      case 'LogicalExpression':
        visitAll(node['left'], node['operator'] === '&&' ? 'code' : place);
        visitAll(node['right'], place);
        return;
      // Names of modules and messages, types, comparisons and what only a developer reads.
      case 'ImportDeclaration':
      case 'ImportExpression':
      case 'ExportAllDeclaration':
      case 'TSLiteralType':
      case 'TSTypeAliasDeclaration':
      case 'TSTemplateLiteralType':
      case 'ThrowStatement':
        return;
      case 'BinaryExpression':
      case 'SwitchCase':
        visitAll(Object.values(node), 'code');
        return;
      case 'CallExpression':
        // The first argument of `say` is the name of a message.
        visitAll(
          (node['arguments'] as readonly Node[]).slice(nameOf(node['callee'] as Node) === 'say' ? 1 : 0),
          'code',
        );
        visitAll(node['callee'], 'code');
        return;
      default:
        visitAll(
          Object.values(node),
          node.type.startsWith('JSX') || node.type === 'ParenthesizedExpression' ? place : 'code',
        );
    }
  }

  function visitAll(value: unknown, place: 'code' | 'shown'): void {
    if (Array.isArray(value)) for (const each of value) visitAll(each, place);
    else if (isNode(value)) visit(value, place);
  }

  function judge(node: Node, words: string, place: 'code' | 'shown'): void {
    if (platformWords.test(words.trim())) return;
    if (place === 'shown' ? hasLetters(words) : readsLikeWords(words)) report(node, words);
  }
}

/** The value of an expression is itself shown, and not handed to something that decides. */
function shows(expression: unknown): boolean {
  return (
    isNode(expression) && /^(?:Literal|TemplateLiteral|ConditionalExpression|LogicalExpression)$/.test(expression.type)
  );
}

function nameOf(node: Node | undefined): string {
  const name = node?.['name'];
  return typeof name === 'string' ? name : '';
}

/** Its own words, with a gap for each hole. */
function templateText(node: Node): string {
  return (node['quasis'] as readonly { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('\u0000');
}
