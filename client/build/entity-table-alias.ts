import { join } from 'node:path';

/**
 * The Markdown parser reads `&amp;` by `innerHTML` in a browser, which our policy forbids: a reply with it would not be
 * formatted. The package's other half has a table of the names instead.
 */
export const entityTableAlias = {
  'decode-named-character-reference': join(
    import.meta.dirname,
    '../../node_modules/decode-named-character-reference/index.js',
  ),
};
