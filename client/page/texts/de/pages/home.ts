import type { homeWords as english } from '../../en/pages/home.ts';
import type { Wording } from '../../text-arguments.ts';

export const homeWords: Wording<typeof english> = {
  'home.skip': 'Zum Text springen',
  'home.heading': 'Mit einer KI sprechen, mit leiser\u00A0Stimme.',
  'home.lead':
    'Sotto versiegelt in Ihrem Browser, was Sie schreiben, bevor es ihn verlässt. Der Dienst, der Ihre Chats befördert und aufbewahrt, hat keinen Schlüssel dazu. Nur die Enklave, die antwortet, öffnet eine Frage, und vor dem Senden sehen Sie, wer in sie hineinsehen könnte.',
  'home.open-chats': 'Zu Ihren Chats',
  'home.licence': 'Freie Software unter Apache-2.0. Kein Tracking, keine Anfragen an Dritte.',
  'home.build': 'Version {version}, Build <code>{build}</code>',

  'journey.heading': 'Der Weg einer Frage',
  'journey.browser': 'Ihr Browser',
  'journey.browser-does': 'Sie schreiben. Hier wird es versiegelt.',
  'journey.question': 'Meine Ärztin sagte „atypisch“. Was soll ich sie am Montag fragen?',
  'journey.relay': 'Das Relay',
  'journey.relay-does': 'Es bewahrt das auf und leitet es weiter. Mehr hat es nicht.',
  'journey.relay-bytes': 'Bytes ohne Bedeutung.',
  'journey.enclave': 'Die Enklave',
  'journey.enclave-does': 'Sie öffnet eine Frage, antwortet, versiegelt, vergisst.',
  'journey.answer': '„Atypisch“ kann vieles heißen. Fragen Sie, welcher Befund gemeint ist, und …',

  'parties.heading': 'Wer was lesen kann',
  'parties.who': 'Wer',
  'parties.words': 'Ihre Worte',
  'parties.besides': 'Was noch',
  'parties.you': 'Sie',
  'parties.you-role': 'in Ihrem Browser',
  'parties.you-words': 'Alles',
  'parties.you-besides': 'Ihr Passwort und Ihre Schlüssel verlassen dieses Gerät nie in lesbarer Form.',
  'parties.relay': 'Das Relay',
  'parties.relay-role': 'bewahrt auf und leitet weiter',
  'parties.relay-words': 'Nichts',
  'parties.relay-besides':
    'Eine Kontonummer, Zeiten, Größen in groben Stufen, den Namen des Modells. Keinen Namen im Klartext, keine Worte, keine Titel.',
  'parties.enclave': 'Die Enklave',
  'parties.enclave-role': 'betreibt das Modell',
  'parties.enclave-words': 'Eine Anfrage, solange sie antwortet',
  'parties.enclave-besides': 'Sie erfährt nicht, wer fragt, und schreibt nichts auf eine Platte oder in ein Protokoll.',
  'parties.host': 'Wer die Maschine der Enklave betreibt',
  'parties.host-role': 'Betreiber oder Rechenzentrum',
  'parties.host-words': 'Kommt auf die Maschine an',
  'parties.host-besides':
    'Entweder hält die Hardware sie fern, oder nichts tut es. Ein Satz neben dem Eingabefeld sagt Ihnen vor dem Senden, was gilt.',

  'limits.heading': 'Was Sie wissen sollten',
  'limits.reset': 'Niemand kann Ihr Passwort zurücksetzen.',
  'limits.reset-text':
    'Es gibt keinen Schlüssel außer Ihrem. Zu Beginn erhalten Sie 24 Wörter, die Ihr Konto öffnen, falls Sie das Passwort vergessen. Ohne beides sind Ihre Chats verloren.',
  'limits.seen': 'Das Relay sieht, dass Sie da sind.',
  'limits.seen-text':
    'Wann Sie schreiben, ungefähr wie viel und von welcher Adresse. Sonst verbirgt es auch vor Ihnen nichts: In jedem Chat können Sie genau die Bytes ansehen, die es hat.',
  'limits.delivered': 'Diese Seite kommt vom Relay.',
  'limits.delivered-text':
    'Ein unehrliches Relay könnte Ihnen eine veränderte Seite schicken. Version und Build stehen unten; wer den veröffentlichten Quelltext baut, erhält denselben Build-Namen.',
};
