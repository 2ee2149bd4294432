/** The first name of a text that begins behind `{`: `name}…` and `count, plural, …` have one, the words of a plural have none. */
type NameAtStart<Text extends string> = Text extends `${infer Name},${string}`
  ? Word<Name> extends never
    ? NameAtBrace<Text>
    : Word<Name>
  : NameAtBrace<Text>;
type NameAtBrace<Text extends string> = Text extends `${infer Name}}${string}` ? Word<Name> : never;
type Word<Text extends string> = Text extends `${string}${' ' | '{' | '}' | '#' | '<'}${string}` | '' ? never : Text;

/** The names of a text's arguments, as `count` of `{count, plural, one {# word} other {# words}}`. */
export type ArgumentsIn<Text extends string> = Text extends `${string}{${infer After}`
  ? NameAtStart<After> | ArgumentsIn<After>
  : never;

/** The names of a text's tags, as `link` of `Or <link>sign in</link>.` */
export type TagsIn<Text extends string> = Text extends `${string}</${infer Tag}>${infer After}`
  ? Tag | TagsIn<After>
  : never;

/** The same texts in another language: one for each, and no other. */
export type Wording<Words> = { readonly [Id in keyof Words]: string };
