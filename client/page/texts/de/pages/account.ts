import type { accountWords as english } from '../../en/pages/account.ts';
import type { Wording } from '../../text-arguments.ts';

export const accountWords: Wording<typeof english> = {
  'sign-in.heading': 'Willkommen zurück',
  'sign-in.new-here': 'Neu hier? <link>Konto anlegen</link>',
  'sign-in.ended': 'Ihre Sitzung ist beendet. Bitte melden Sie sich wieder an.',
  'sign-in.forgotten': 'Passwort vergessen? <link>Mit Ihren 24 Wörtern anmelden</link>',

  'recover.heading': 'Ihre 24 Wörter',
  'recover.lead': 'Die 24 Wörter, die Sie beim Anlegen Ihres Kontos aufgeschrieben haben.',
  'recover.by-password': 'Stattdessen das Passwort verwenden',

  'sign-up.heading': 'Ihr Konto anlegen',
  'sign-up.lead': 'Keine E-Mail-Adresse, keine Telefonnummer. Ihre Schlüssel entstehen in diesem Browser.',
  'sign-up.have-one': 'Sie haben schon ein Konto? <link>Anmelden</link>',
  'sign-up.name-hint':
    'Das Relay erhält ihn nur unkenntlich gemacht. Wählen Sie trotzdem einen, der nicht verrät, wer Sie sind.',

  'phrase.heading': 'Ihre 24 Wörter',
  'phrase.lead':
    'Diese 24 Wörter öffnen Ihr Konto, falls Sie einmal Ihr Passwort vergessen. Sie werden nur jetzt gezeigt, und niemand sonst hat sie: nicht das Relay, nicht wir.',
  'phrase.words': 'Die 24 Wörter',
  'phrase.copy': 'Kopieren',
  'phrase.download': 'Herunterladen',
  'phrase.print': 'Drucken',
  'phrase.copy-failed':
    'Dieser Browser hat Sotto die Wörter nicht kopieren lassen. Schreiben Sie sie auf, oder laden Sie sie herunter.',
  'phrase.keep':
    'Am besten auf Papier, bei Ihren anderen wichtigen Unterlagen. Wer diese Wörter hat, kann alles in diesem Konto lesen. Wer Wörter und Passwort verloren hat, kann es nie wieder lesen.',
  'phrase.confirm': 'Ich habe die 24 Wörter aufgeschrieben und bewahre sie sicher auf.',
  'phrase.confirm-first': 'Schreiben Sie die Wörter zuerst auf, und bestätigen Sie es dann hier.',
  'phrase.continue': 'Weiter',
  'phrase.file-name': 'sotto-24-woerter.txt',
  'phrase.file-title': 'Die 24 Wörter zu einem Konto bei Sotto',
  'phrase.file-end': 'Wer diese Wörter hat, kann alles in dem Konto lesen.',

  'typed-phrase.count': 'Das {count, plural, one {ist # Wort} other {sind # Wörter}}; es müssen {all, number} sein.',
  'typed-phrase.many-unknown':
    '{count, number} davon kommen in solchen 24 Wörtern nicht vor. Sehen Sie auf Ihrem Blatt nach.',
  'typed-phrase.unknown': 'Wort {position, number}, „{word}“, kommt in solchen 24 Wörtern nicht vor.',
  'typed-phrase.check': 'Prüfen Sie die Schreibweise.',
  'typed-phrase.no-match':
    'Jedes dieser Wörter ist möglich, aber sie gehören nicht zusammen: Eines ist ein anderes, oder die Reihenfolge stimmt nicht.',

  'strength.empty':
    'Mindestens 12 Zeichen. Lang ist besser als verzwickt: Vier oder fünf Wörter ohne Zusammenhang sind gut.',
  'strength.is': 'Stärke: {strength}.',
  'strength.0': 'sehr schwach',
  'strength.1': 'schwach',
  'strength.2': 'mittel',
  'strength.3': 'gut',
  'strength.4': 'stark',
  'strength.short': 'Verwenden Sie mindestens 12 Zeichen.',

  'new-password.heading': 'Neues Passwort wählen',
  'new-password.lead': 'Alle anderen Sitzungen dieses Kontos enden. Ihre 24 Wörter bleiben dieselben.',
  'new-password.lead-recovered':
    'Sie sind angemeldet. Wenn Sie Ihr Passwort nicht mehr wissen, wählen Sie jetzt ein neues. Ihre 24 Wörter bleiben dieselben.',
  'new-password.current': 'Jetziges Passwort',
  'new-password.by-phrase': 'Stattdessen die 24 Wörter verwenden',
  'new-password.by-password': 'Stattdessen das jetzige Passwort verwenden',
  'new-password.new': 'Neues Passwort',
  'new-password.again': 'Neues Passwort noch einmal',
  'new-password.unlike': 'Das stimmt nicht mit dem neuen Passwort oben überein.',
  'new-password.set': 'Passwort ändern',
  'new-password.skip': 'Überspringen',
  'new-password.done': 'Ihr Passwort ist geändert',
  'new-password.done-lead':
    'Alle anderen Sitzungen dieses Kontos sind beendet. Ihre 24 Wörter sind dieselben wie vorher.',
  'new-password.to-chats': 'Zu Ihren Chats',

  'unlock.heading': 'Gesperrt',
  'unlock.lead': 'Ihre Schlüssel sind nicht im Speicher. Ihr Passwort holt sie zurück.',
  'unlock.unlock': 'Entsperren',
  'unlock.wrong': 'Dieses Passwort stimmt nicht.',
};
