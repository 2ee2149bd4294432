import type { chatWords as english } from '../../en/pages/chat.ts';
import type { Wording } from '../../text-arguments.ts';

export const chatWords: Wording<typeof english> = {
  'chat.skip': 'Zum Eingabefeld springen',
  'chat.menu': 'Menü',
  'chat.show-sidebar': 'Seitenleiste anzeigen',
  'chat.hide-sidebar': 'Seitenleiste ausblenden',
  'chat.new': 'Neuer Chat',
  'chat.new-heading': 'Ein neues Gespräch',
  'chat.conversation': 'Gespräch',

  'account-menu.name': 'Konto',
  'account-menu.theme': 'Darstellung',
  'account-menu.theme-system': 'System',
  'account-menu.theme-light': 'Hell',
  'account-menu.theme-dark': 'Dunkel',
  'account-menu.change-password': 'Passwort ändern',
  'account-menu.lock': 'Sperren',
  'account-menu.build': 'Sotto {version}, Build {build}',
  'account-menu.lose-heading': 'Abmelden und nicht gesendete Nachrichten verlieren?',
  'account-menu.lose-text':
    'Das Relay hat noch nicht alles, was Sie hier geschrieben haben. Beim Abmelden wird die Kopie in diesem Browser gelöscht.',
  'account-menu.failed': 'Das hat nicht geklappt',

  'conversations.name': 'Gespräche',
  'conversations.empty': 'Hier werden Ihre Gespräche stehen.',
  'conversations.unreadable': 'Von einer anderen Version von Sotto geschrieben',
  'conversations.answering': 'Wird beantwortet',
  'conversations.unsent': 'Ungesendet',
  'conversations.unsent-hint': 'Noch nicht beim Relay',
  'conversations.options': 'Optionen für {title}',
  'conversations.rename-heading': 'Gespräch umbenennen',
  'conversations.title': 'Titel',
  'conversations.title-kept': 'Der Titel ist unverändert.',
  'conversations.delete-heading': 'Gespräch löschen?',
  'conversations.delete-text':
    '„{title}“ und alle Nachrichten darin werden auf jedem Gerät gelöscht. Das lässt sich nicht rückgängig machen.',
  'conversations.delete-relay':
    'Das Relay wird angewiesen, seine versiegelte Kopie zu löschen. Es könnte die Bytes behalten; lesen kann es sie nicht.',
  'conversations.not-deleted': 'Es wurde nichts gelöscht.',

  'composer.message': 'Nachricht',
  'composer.placeholder': 'Schreiben Sie mit leiser Stimme',
  'composer.send': 'Senden',
  'composer.stop': 'Anhalten',
  'composer.stop-key': 'Anhalten (Esc)',
  'composer.text-kept': 'Ihr Text ist noch hier.',
  'composer.answer-goes-on': 'Die Antwort läuft weiter.',
  'composer.still-answering':
    'Eine Antwort wird noch geschrieben. Ihr Text bleibt hier: Senden Sie ihn, wenn sie fertig ist, oder halten Sie sie an.',
  'composer.no-files':
    'Sotto kann noch keine Dateien annehmen. Nichts davon wurde gelesen oder gesendet; fügen Sie stattdessen den Text ein.',
  'composer.nothing-to-read': 'In dieser Nachricht gibt es nichts zu lesen. Schreiben Sie ein paar Worte.',
  'composer.too-long':
    'Diese Nachricht ist um {excess, plural, one {# Zeichen} other {# Zeichen}} zu lang. Es ist noch alles hier: Kürzen Sie sie, oder senden Sie sie in Teilen.',
  'composer.draft-too-long': 'Das ist zu lang, um als Entwurf aufbewahrt zu werden.',
  'composer.unkept': '{why} Es steht nur in diesem Feld und ist weg, wenn diese Seite geschlossen wird.',
  'composer.download': 'Modell wird heruntergeladen',
};
