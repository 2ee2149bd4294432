import type { shellWords as english } from '../../en/pages/shell.ts';
import type { Wording } from '../../text-arguments.ts';

export const shellWords: Wording<typeof english> = {
  'title.home': 'Sotto, ein privater KI-Chat',
  'title.create-account': 'Konto anlegen · Sotto',
  'title.sign-in': 'Anmelden · Sotto',
  'title.recover': 'Mit den 24 Wörtern anmelden · Sotto',
  'title.unlock': 'Entsperren · Sotto',
  'title.new-password': 'Neues Passwort · Sotto',
  'title.chat': 'Chat · Sotto',
  'title.not-found': 'Nicht gefunden · Sotto',

  'start.description':
    'Ein privater KI-Chat: Was Sie schreiben, wird in Ihrem Browser versiegelt, und der Dienst, der es befördert und aufbewahrt, hat keinen Schlüssel.',
  'start.needs-script': 'Sotto ver- und entschlüsselt in Ihrem Browser und braucht dafür JavaScript.',
  'start.slow': 'Sotto lädt noch. Wenn nichts kommt, prüfen Sie Ihre Verbindung und laden Sie die Seite neu.',
  'start.loading-chats': 'Chats werden geladen …',
  'start.part-missing': 'Ein Teil dieser Seite ist nicht angekommen. Er kommt, sobald das Relay wieder erreichbar ist.',

  'button.cancel': 'Abbrechen',
  'button.close': 'Schließen',
  'button.dismiss': 'Ausblenden',
  'button.delete': 'Löschen',
  'button.reload': 'Neu laden',
  'button.rename': 'Umbenennen',
  'button.retry': 'Noch einmal',
  'button.stay': 'Hierbleiben',
  'button.ask-again': 'Erneut fragen',

  'account.create': 'Konto anlegen',
  'account.sign-in': 'Anmelden',
  'account.sign-out': 'Abmelden',

  'field.show-typed': 'Eingabe anzeigen',
  'field.hide-typed': 'Eingabe verbergen',
  'field.user-name': 'Benutzername',
  'field.password': 'Passwort',
  'field.phrase': 'Ihre 24 Wörter',
  'field.phrase-count': '{count, number} von {all, number} Wörtern',

  'copy.done': 'Kopiert',
  'copy.failed': 'Kopieren nicht möglich',

  'age.today': 'Heute',
  'age.yesterday': 'Gestern',
  'age.week': 'Letzte 7 Tage',
  'age.month': 'Letzte 30 Tage',
  'age.earlier': 'Früher',

  'wait.seconds': '{count, plural, one {# Sekunde} other {# Sekunden}}',
  'wait.minutes': '{count, plural, one {# Minute} other {# Minuten}}',
  'wait.hours': '{count, plural, one {# Stunde} other {# Stunden}}',
  'wait.elapsed-seconds': '{seconds}\u00A0s',

  'connection.kept-typed': 'Ihre Eingaben bleiben hier stehen.',
  'connection.kept-written': 'Was Sie schreiben, bleibt hier, bis es gesendet werden kann.',
  'connection.offline': 'Sie sind offline. {kept}',
  'connection.relay-away': 'Keine Verbindung zum Relay; Sotto versucht es weiter. {kept}',
  'connection.back': 'Die Verbindung ist wieder da.',

  'alarm.integrity': 'Integritätsalarm.',

  'not-found.heading': 'Hier ist nichts',
  'not-found.lead': 'Keine Seite von Sotto hat diese Adresse.',
  'not-found.home': 'Startseite',
  'unshown.heading': 'Diese Seite lässt sich nicht anzeigen',
  'unshown.lead':
    'Ein Teil davon ist nicht angekommen oder fehlerhaft. Nichts ist verloren: Was Sie vorher geschrieben haben, bleibt versiegelt, wo es ist.',
  'broken.heading': 'Sotto kann hier nicht starten',
  'broken.kept': 'Nichts ist verloren: Was Sie vorher geschrieben haben, bleibt versiegelt, wo es ist.',
};
