import type { shieldWords as english } from '../../en/protection/shield.ts';
import type { Wording } from '../../text-arguments.ts';

export const shieldWords: Wording<typeof english> = {
  'shield.heading': 'Was dieses Gespräch schützt',
  'shield.starting':
    'Eine Maschine mit einem großen Modell braucht einige Minuten zum Starten. Sie können inzwischen schreiben; was Sie senden, wartet hier und geht hinaus, wenn die Enklave bewiesen hat, was sie ist.',
  'shield.relay-question':
    'Und das Relay dazwischen? Sehen Sie sich genau die Bytes an, die es zu diesem Gespräch hat.',
  'shield.relay-question-later':
    'Und das Relay dazwischen? Wenn Sie eine erste Nachricht gesendet haben, können Sie genau die Bytes ansehen, die es hat.',
  'shield.checked': 'Was Ihr Browser geprüft hat',
  'shield.who-answers': 'Wer antwortet',

  'refused.attempted': 'Es wurde nichts gesendet. Ihr Text ist noch hier.',
  'refused.see-checks': 'Die Prüfungen ansehen',
  'refused.lower': 'Mindestschutz hier senken …',

  'lower.heading': 'Den Mindestschutz für dieses Gespräch senken?',
  'lower.known': 'Sie verlangen: {level}. Von der Enklave, die jetzt da ist, ist Folgendes bekannt:',
  'lower.meaning':
    'Alles, was Sie von nun an in diesem Gespräch senden, mit allem, was darin schon gesagt wurde, kann an eine solche Enklave gehen. Andere Gespräche behalten Ihren Mindestschutz. Das Gespräch vermerkt, wann Sie das getan haben.',
  'lower.keep': 'Mindestschutz behalten',
  'lower.lower': 'Hier senken',

  'minimum.legend': 'In allen Ihren Gesprächen annehmen',
  'minimum.ask-here': 'Auch hier verlangen',
  'minimum.own': 'Seit {time} nehmen Sie in diesem Gespräch an: {level}.',
  'minimum.out-of-reach':
    'Keine Enklave, für die dieser Client gebaut wurde, kann das bieten. Es wird nichts gesendet, bis Sie weniger verlangen.',

  'fact.model': 'Modell',
  'fact.engine': 'Antwortet durch',
  'fact.evidence': 'Nachweis',
  'fact.evidence-kind': '{name} ({kind})',
  'fact.release': 'Release',
  'fact.measurement': 'Messwert',
  'fact.key': 'Schlüssel, für den Ihre Worte versiegelt werden',
  'fact.key-of-document': 'Schlüssel, für den versiegelt wird',
  'fact.identity': 'Identität der Enklave',
  'fact.stand-in': 'Vertretung',
  'fact.stand-in-text': 'Eine zweite Enklave, die dasselbe bewiesen hat; Ihre Worte werden für beide versiegelt.',
  'fact.checked': 'Geprüft',
  'fact.minimum': 'Ihr Mindestschutz',
  'fact.model-asked': 'Verlangtes Modell',
  'fact.model-default': 'keines bestimmt: das der Enklave',
  'fact.digest': 'Prüfsumme des Nachweises',

  'document.heading': 'Prüfdokument',
  'document.opening': 'Wird geöffnet',
  'document.none': 'Hier ist kein Prüfdokument aufbewahrt.',
  'document.of-now': 'Das hat Ihr Browser von der Enklave geprüft, die jetzt da ist.',
  'document.of-question': 'Das hat Ihr Browser geprüft, bevor er diese Frage versiegelt hat.',
  'document.contents':
    'Das Dokument enthält alle Nachweise und Schlüssel, aus denen die Prüfungen gemacht wurden, und kein Wort von Ihnen. Mit dem Quelltext dieses Clients macht <code>npm run verify -- document.json</code> dieselben Prüfungen noch einmal, ohne Netzwerk.',
  'document.export': 'Exportieren',
  'document.saved': 'An die Downloads Ihres Browsers übergeben als {name}',
  'document.question': 'Die Frage, auf die es antwortet',
  'document.checks': 'Die Prüfungen',
  'document.enclave': 'Die Enklave',
  'document.checks-of': 'Die Prüfungen von Enklave {position, number}',
  'document.enclave-of': 'Enklave {position, number}',
  'document.sentence-of': 'Enklave {position, number}: {sentence}',

  'link.heading': 'Sotto verlassen?',
  'link.by-reply': 'Das Modell hat diese Adresse geschrieben.',
  'link.by-client': 'Diese Adresse steht in der Release-Liste, die in Ihren Client eingebaut wurde.',
  'link.tells-host': 'Wenn Sie sie öffnen, erfährt {host} alles, was darin steht, und dass Sie gekommen sind.',
  'link.tells-server': 'Wenn Sie sie öffnen, erfährt ihr Server alles, was darin steht, und dass Sie gekommen sind.',
  'link.tells-receiver':
    'Wenn Sie sie öffnen, erfährt ihr Empfänger alles, was darin steht, und dass Sie gekommen sind.',
  'link.open': 'Öffnen',
};
