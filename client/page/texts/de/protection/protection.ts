import type { protectionWords as english } from '../../en/protection/protection.ts';
import type { Wording } from '../../text-arguments.ts';

export const protectionWords: Wording<typeof english> = {
  'protection.connecting': 'Verbindung zur Enklave',
  'protection.starting': 'Die Enklave startet',
  'protection.starting-since': 'Die Enklave startet {since}',
  'protection.nothing-sent': 'Es wird nichts gesendet',
  'protection.refused': 'Es wird nichts gesendet: {what}',
  'protection.button': 'Schutz: {sentence}',
  'protection.other-enclave': 'Jetzt antwortet eine andere Enklave: {change}.',
  'protection.accepted-again': 'Die Enklave ist angenommen: {sentence}',
  'protection.reached-again': 'Die Enklave ist wieder erreichbar: {sentence}',

  'claim.development': 'Kein Schutz vor denen, die diese Maschine betreiben.',
  'claim.modal':
    'Der Betreiber dieses Dienstes erklärt, dass das Modell bei Modal läuft. Der Betreiber und Modal könnten Ihre Nachrichten lesen.',
  'claim.hardware':
    'Hardware von {vendor} hat signiert, dass hier die gemessene Software {release} läuft, und {release} steht in der Release-Liste.',
  'claim.hardware-gpu':
    'Hardware von {vendor} hat signiert, dass hier die gemessene Software {release} läuft, und {release} steht in der Release-Liste; die GPU ist echt und im vertraulichen Modus.',
  'vendor.sev-snp': 'AMD',
  'vendor.tdx': 'Intel',
  'claim.refused': 'Diese Enklave konnte nicht geprüft werden, darum wird ihr nichts gesendet.',

  'engine.rehearsal': 'Probebetrieb ohne Modell',
  'engine.gguf': 'Modell auf dieser Maschine',
  'engine.openai': 'Modellserver',
  'engine.loading': 'Modell wird geladen',
  'engine.loading-part': 'Modell wird geladen, {percent}',
  'engine.reason.chosen-by-setting': 'vom Betreiber gewählt',
  'engine.reason.server-given': 'der Betreiber hat einen Modellserver angegeben',
  'engine.reason.model-file-here': 'seine Datei liegt auf der Maschine',
  'engine.reason.model-downloading': 'noch ist kein Modell geladen',
  'engine.reason.model-loading': 'das Modell wird geladen',
  'engine.reason.download-failed': 'das Modell konnte nicht heruntergeladen werden',
  'engine.reason.model-failed': 'das Modell konnte nicht geladen werden',
  'engine.reason.server-unreachable': 'der Modellserver ist nicht erreichbar',
  'engine.reason.evidence-pending': 'die Enklave wartet auf ihren Nachweis',
  'engine.because': '{engine}: {reason}',
  'engine.then': '{engine}: {reason}; {coming}',
  'engine.next-loading': '{model} wird geladen …',
  'engine.next-loading-part': '{model} wird geladen … {percent}',
  'engine.next-downloading': '{model} wird heruntergeladen …',
  'engine.next-downloading-part': '{model} wird heruntergeladen … {percent}',

  'step.enforced': 'durchgesetzt',
  'step.failed': 'gescheitert',
  'step.not-offered': 'nicht angeboten',
  'step.with-result': '{name} <soft>({result})</soft>',

  'level.any': 'Jeden Server',
  'level.stated': 'Mindestens die Erklärung des Betreibers (Modal)',
  'level.hardware': 'Hardware, die beweist, was läuft',
  'level.hardware-gpu': 'Hardware, und die GPU dazu',
  'level.any.phrase': 'jeden Server',
  'level.stated.phrase': 'mindestens die Erklärung des Betreibers',
  'level.hardware.phrase': 'Hardware',
  'level.hardware-gpu.phrase': 'Hardware und GPU',

  'kind.development': 'kein Nachweis über die Maschine',
  'kind.modal': 'Erklärung des Betreibers (Modal)',
  'kind.sev-snp': 'AMD-Hardware',
  'kind.tdx': 'Intel-Hardware',
  'kind.other': 'eine andere Art von Nachweis',
  'kind.with-gpu': '{kind} mit geprüfter GPU',

  'change.kind': '{after} statt {before}',
  'change.release': 'Release {release}',
  'change.measurement': 'Messwert {start}…',
  'change.model': 'Modell {after} statt {before}',

  'note.minimum-lowered':
    'Sie haben den Mindestschutz für dieses Gespräch am {time} gesenkt und nehmen seither an: {level}.',
  'note.minimum-set':
    'Sie haben den Mindestschutz für dieses Gespräch am {time} festgelegt und nehmen seither an: {level}.',
  'note.other-enclave': 'Ab hier antwortet eine andere Enklave: {change}.',
};
