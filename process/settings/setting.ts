/** The processes that run. */
export type ProcessName = 'relay' | 'worker' | 'registrar';

/** A reader of settings: a process, the client's build, or docker-compose.yml, which hands others on. */
export type Reader = ProcessName | 'build' | 'compose';

/** Makes of a text without blanks around it what a setting means. @throws {StartError} one sentence that begins with the name. */
export type Parse<Value> = (text: string, name: string) => Value;

/** One row of the table. */
export type Setting<Value = unknown, Default extends string | null = string | null, Who extends Reader = Reader> = {
  readonly who: readonly Who[];
  readonly parse: Parse<Value>;
  /** The text that stands for none; null: the setting is then null. */
  readonly default: Default;
  /** For the documents, where the default is no text of its own. */
  readonly usually: string;
  /** For the documents, in Markdown. */
  readonly meaning: string;
  /**
   * True if an empty text is a mistake. It is where leaving the setting out means less protection: a name that was misspelt
   * elsewhere, and so is empty here, must not take it away. Otherwise it is as good as none, as compose files leave it.
   */
  readonly refusesEmpty: boolean;
};

type More = { readonly usually?: string; readonly refusesEmpty?: boolean };

/** A setting that is there whether somebody sets it or not. */
export function usual<Value, const Who extends Reader>(
  who: readonly Who[],
  parse: Parse<Value>,
  text: string,
  meaning: string,
  more: More = {},
): Setting<Value, string, Who> {
  return {
    who,
    parse,
    default: text,
    meaning,
    usually: more.usually ?? `\`${text}\``,
    refusesEmpty: more.refusesEmpty ?? false,
  };
}

/** A setting that is null until somebody sets it. */
export function optional<Value, const Who extends Reader>(
  who: readonly Who[],
  parse: Parse<Value>,
  meaning: string,
  more: More = {},
): Setting<Value, null, Who> {
  return { who, parse, default: null, meaning, usually: more.usually ?? '', refusesEmpty: more.refusesEmpty ?? false };
}
