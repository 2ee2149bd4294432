import type { threadWords as english } from '../../en/pages/thread.ts';
import type { Wording } from '../../text-arguments.ts';

export const threadWords: Wording<typeof english> = {
  'empty.heading': 'Was beschäftigt Sie?',
  'empty.text':
    'Ihre Worte werden versiegelt, bevor sie diesen Browser verlassen. Das Relay, das sie befördert, kann sie nicht lesen; die Enklave, die antwortet, muss es, solange sie antwortet.',
  'empty.development': 'Hier hält nichts die Person fern, die deren Maschine betreibt.',
  'suggestion.talk': 'Ein schwieriges Gespräch',
  'suggestion.talk-text': 'Hilf mir, ein schwieriges Gespräch mit meiner Chefin über meine Arbeitslast vorzubereiten.',
  'suggestion.letter': 'Einen Brief verstehen',
  'suggestion.letter-text': 'Erkläre mir diesen Brief in einfachen Worten und sag mir, was ich tun muss:',
  'suggestion.think': 'Etwas durchdenken',
  'suggestion.think-text':
    'Ich muss mich zwischen zwei Möglichkeiten entscheiden. Stell mir Fragen, eine nach der anderen, bis ich klar sehe.',
  'suggestion.kind': 'Freundlich sagen',
  'suggestion.kind-text': 'Formuliere diese Nachricht so um, dass sie klar und freundlich ist:',

  'thread.name': 'Gespräch',
  'thread.opening': 'Wird geöffnet',
  'thread.gone': 'Dieses Gespräch ist nicht in Ihrem Tresor. Vielleicht wurde es gelöscht.',
  'thread.start-another': 'Ein anderes beginnen',
  'thread.latest': 'Zum Neuesten',
  'thread.you-at': 'Sie, {time}',
  'thread.assistant-at': 'Assistent, {time}',
  'thread.copy-question': 'Frage kopieren',
  'thread.copy-answer': 'Antwort kopieren',
  'thread.tokens': '{count, plural, one {# Token} other {# Tokens}}',
  'thread.thinking': 'Denkt nach',
  'thread.thoughts': 'Gedanken vor der Antwort',
  'thread.left-out':
    '{count, plural, one {Die älteste Nachricht wurde} other {Die # ältesten Nachrichten wurden}} weggelassen: Das Modell konnte nicht alle aufnehmen.',

  'announce.responding': 'Der Assistent antwortet.',
  'announce.still': 'Antwortet noch',
  'announce.complete': 'Die Antwort ist vollständig.',
  'announce.ended': 'Die Antwort ist zu Ende.',

  'reply-state.sending': 'Wird gesendet',
  'reply-state.connecting': 'Verbindung zur Enklave',
  'reply-state.thinking': 'Denkt nach',
  'reply-state.answering': 'Antwortet',
  'reply-state.model-loading': 'Modell wird geladen',
  'reply-state.kept-offline': 'Ihre Nachricht ist aufgehoben und geht hinaus, wenn Sie wieder online sind.',
  'reply-state.kept-relay-away':
    'Das Relay ist nicht erreichbar. Ihre Nachricht ist aufgehoben und geht hinaus, sobald es wieder erreichbar ist.',
  'reply-state.message-kept': 'Ihre Nachricht ist aufgehoben.',
  'reply-state.question-kept': 'Ihre Frage ist aufgehoben.',
  'reply-state.missing': 'Antwort fehlt: Das Relay hat keine Antwort auf diese Frage.',
  'reply-state.ended-early': 'Die Antwort ist vollständig; das Relay hat die Übertragung vorzeitig beendet.',
  'reply-state.stopped': 'Angehalten. Was schon da war, bleibt.',
  'reply-state.length': 'Die Antwort hat die Länge erreicht, die das Modell zulässt.',
  'reply-state.cut-off': 'Diese Antwort wurde abgeschnitten. Sie ist nicht vollständig.',
  'reply-state.waits.model-loading': 'Das Modell wird geladen',
  'reply-state.waits.model-overloaded': 'Das Modell ist beschäftigt; Ihre Frage wartet',
  'reply-state.waits.server-failed': 'Der Server des Modells hat eine Störung; es wird erneut versucht',

  'markdown.details': 'Einzelheiten',
  'markdown.table': 'Tabelle',
  'markdown.task': 'Aufgabe',
  'markdown.notes': 'Anmerkungen',
  'markdown.note': 'Anmerkung {number}',
  'markdown.back': 'Zurück zum Text',
  'markdown.code': 'Text',
  'markdown.copy-code': 'Code kopieren',
  'markdown.picture': 'Bild',
  'markdown.picture-not-loaded': 'Nicht geladen, weil das seinem Server etwas über Sie verraten würde.',
};
