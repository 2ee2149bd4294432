import type { relayViewWords as english } from '../en/relay-view.ts';
import type { Wording } from '../message-arguments.ts';

export const relayViewWords: Wording<typeof english> = {
  'relay-view.heading': 'Was das Relay sieht',
  'relay-view.lead':
    'Ihre Worte, geöffnet mit den Schlüsseln in diesem Browser, und daneben alles, was das Relay jeweils dazu hat. Es hat zu nichts davon einen Schlüssel.',
  'relay-view.asking': 'Das Relay wird gefragt',
  'relay-view.you-see': 'Was Sie sehen',
  'relay-view.you-see-before': 'Was Sie sehen: ',
  'relay-view.relay-holds': 'Was das Relay hat',
  'relay-view.relay-holds-before': 'Was das Relay hat: ',
  'relay-view.nothing': 'Das Relay hat von diesem Gespräch noch nichts.',
  'relay-view.account': 'Und von Ihrem Konto',
  'relay-view.besides':
    'Das Relay sieht auch Ihre Adresse, solange Sie verbunden sind, und ungefähr, wie lange eine Antwort dauert. Es könnte behalten, was es löschen soll; lesen könnte es das trotzdem nicht.',
  'relay-view.sealed-item': 'Ein versiegelter Eintrag',
  'relay-view.sealed-transcript': 'Die versiegelte Mitschrift einer Antwort',
  'relay-view.nothing-to-read': 'Nichts zu lesen',
  'relay-view.compacted':
    'Wie die Antwort zu Ihnen kam. Ihre Teile wurden gelöscht, als die Antwort oben in einem Stück gespeichert wurde.',
  'relay-view.title': 'Titel des Gesprächs',
  'relay-view.question': 'Sie schrieben',
  'relay-view.answer': 'Der Assistent schrieb',
  'relay-view.settings': 'Eine Einstellung',
  'relay-view.verification': 'Was geprüft wurde',
  'relay-view.verification-text': 'Geprüft von Ihrem Browser am {time}: Nachweis der Art {kind}, Modell {model}.',
  'relay-view.note': 'Wie die Antwort endete',
  'relay-view.bytes-spoken':
    '{count, plural, one {# Byte} other {# Bytes}} ohne Bedeutung für alle, die keinen Schlüssel haben.',
  'relay-view.bytes': '{count, plural, one {# Byte} other {# Bytes}}',
  'relay-view.fetching': 'Wird geholt …',
  'relay-view.all-bytes': 'Alle Bytes zeigen',
  'relay-view.more-bytes': 'Mehr zeigen',
  'relay-view.more-columns': '{count, plural, one {Eine weitere Spalte} other {# weitere Spalten}}',
};
