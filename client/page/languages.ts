import { type Texts, speak } from './texts/say.ts';
import { english } from './texts/en/catalog.ts';

type Language = {
  /** The direction of its script. */
  readonly dir: 'ltr' | 'rtl';
  readonly load: () => Promise<Texts>;
};

/** English is part of the first script: it is there whatever does not arrive. */
export const languages = {
  en: { dir: 'ltr', load: () => Promise.resolve(english) },
  de: { dir: 'ltr', load: () => import('./texts/de/catalog.ts').then(({ german }) => german) },
} as const satisfies Readonly<Record<string, Language>>;

export type LanguageCode = keyof typeof languages;

export type ChosenLanguage = {
  readonly code: LanguageCode;
  /** With the region, by which numbers and dates are written: `de-AT`. */
  readonly tag: string;
};

const fallback: ChosenLanguage = { code: 'en', tag: 'en' };

/**
 * The first language of a person's list that there are texts in, else English.
 *
 * @param wanted - Language tags, the most wanted first: `navigator.languages`, or one that a person chose.
 */
export function chooseLanguage(wanted: readonly string[]): ChosenLanguage {
  for (const tag of wanted) {
    const code = primaryLanguage(tag);
    if (code !== null) return { code, tag };
  }
  return fallback;
}

function primaryLanguage(tag: string): LanguageCode | null {
  try {
    const { language } = new Intl.Locale(tag);
    return Object.hasOwn(languages, language) ? (language as LanguageCode) : null;
  } catch {
    // A browser may be set to anything.
    return null;
  }
}

/** The element that tells a reader of the page which language it is in. */
type Page = { lang: string; dir: string };

/**
 * Loads the texts of a language and speaks it from then on, to a reader of the page too. Its texts may fail to arrive: English it is
 * then, until the next visit.
 */
export async function speakLanguage(chosen: ChosenLanguage, root: Page): Promise<void> {
  let spoken = chosen;
  let texts: Texts = english;
  try {
    texts = await languages[chosen.code].load();
  } catch {
    spoken = fallback;
  }
  speak(spoken.tag, texts);
  root.lang = spoken.tag;
  root.dir = languages[spoken.code].dir;
}
