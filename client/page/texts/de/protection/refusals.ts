import type { refusalWords as english } from '../../en/protection/refusals.ts';
import type { Wording } from '../../text-arguments.ts';

const ask = 'Fragen Sie erneut: Eine gesunde Enklave antwortet beim nächsten Mal richtig.';
const tellOperator =
  'Wenn es wieder vorkommt, sagen Sie dem Betreiber dieses Dienstes Bescheid, und umgehen Sie es nicht.';
const tampered = `Vielleicht wurde unterwegs etwas verändert. ${ask} ${tellOperator}`;
const machine = `Fragen Sie erneut: Vielleicht antwortet eine andere Maschine. ${tellOperator}`;
const update = 'Der Betreiber dieses Dienstes muss die Maschine aktualisieren. Fragen Sie später erneut.';
const newRelease =
  'Laden Sie die Seite neu: Ein neuerer Client kennt dieses Release vielleicht. Wenn es so bleibt, läuft auf diesem Dienst Software, für die Ihr Client nicht gebaut wurde.';
const clock = 'Prüfen Sie Datum und Uhrzeit dieses Geräts, und fragen Sie dann erneut.';

export const refusalWords: Wording<typeof english> = {
  'refusal.policy-incomplete': 'Dieser Client wurde ohne vollständige Richtlinie gebaut.',
  'refusal.policy-incomplete.do':
    'Der Betreiber dieses Dienstes muss den Client neu bauen. Vorher kann keine Enklave angenommen werden.',
  'refusal.kind-not-allowed': 'Die Enklave bringt eine Art von Nachweis, die dieser Client nicht annimmt.',
  'refusal.kind-not-allowed.do':
    'Keine Ihrer Einstellungen ändert das: Es ist in den Client eingebaut. Sagen Sie dem Betreiber dieses Dienstes Bescheid.',
  'refusal.below-minimum': 'Diese Enklave bietet weniger Schutz, als Sie verlangen.',
  'refusal.below-minimum.do':
    'Fragen Sie erneut nach einer anderen Enklave, oder senken Sie den Mindestschutz für dieses Gespräch, wenn sein Inhalt es erlaubt.',
  'refusal.malformed': 'Der Nachweis ist nicht lesbar.',
  'refusal.malformed.do': tampered,
  'refusal.unsupported': 'Dieser Client kann diese Art von Nachweis nicht prüfen.',
  'refusal.unsupported.do': 'Laden Sie die Seite neu: Ein neuerer Client kann es vielleicht.',
  'refusal.identity-mismatch': 'Der Nachweis gehört zu einer anderen Enklave als der, die antwortet.',
  'refusal.identity-mismatch.do': tampered,
  'refusal.signature': 'Eine Signatur ist falsch.',
  'refusal.signature.do': tampered,
  'refusal.chain': 'Die Zertifikate führen nicht zum Hersteller der Hardware.',
  'refusal.chain.do': tampered,
  'refusal.untrusted-root': 'Die Zertifikate führen zu jemandem, dem dieser Client nicht vertraut.',
  'refusal.untrusted-root.do': tampered,
  'refusal.not-yet-valid': 'Ein Zertifikat ist noch nicht gültig.',
  'refusal.not-yet-valid.do': clock,
  'refusal.expired': 'Ein Zertifikat oder eine Erklärung ist abgelaufen.',
  'refusal.expired.do': clock,
  'refusal.revoked': 'Der Hersteller hat das Zertifikat dieser Maschine widerrufen.',
  'refusal.revoked.do': machine,
  'refusal.wrong-machine': 'Die Zertifikate gehören zu einer anderen Maschine.',
  'refusal.wrong-machine.do': tampered,
  'refusal.debug': 'Die Maschine läuft im Debug-Modus, in dem ihr Besitzer hineinsehen kann.',
  'refusal.debug.do': machine,
  'refusal.migration': 'Die Maschine darf auf eine andere verschoben werden, die niemand geprüft hat.',
  'refusal.migration.do': machine,
  'refusal.guest-policy': 'Die Maschine wurde mit Rechten gestartet, die dieser Client nicht annimmt.',
  'refusal.guest-policy.do': machine,
  'refusal.privilege-level': 'Der Nachweis stammt nicht von der Software, von der er spricht.',
  'refusal.privilege-level.do': machine,
  'refusal.outdated-firmware': 'Die Firmware der Maschine ist zu alt.',
  'refusal.outdated-firmware.do': update,
  'refusal.outdated-collateral': 'Die Angaben des Herstellers zu dieser Maschine sind veraltet.',
  'refusal.outdated-collateral.do':
    'Das Relay muss sie neu holen. Fragen Sie später erneut; prüfen Sie auch Datum und Uhrzeit dieses Geräts.',
  'refusal.measurement': 'Auf der Maschine läuft Software, die nicht in der Release-Liste steht.',
  'refusal.measurement.do': newRelease,
  'refusal.report-data': 'Die Hardware hat den Schlüssel dieser Enklave nicht signiert.',
  'refusal.report-data.do': tampered,
  'refusal.nonce': 'Der Nachweis antwortet auf eine andere Anfrage: Er könnte ein alter sein.',
  'refusal.nonce.do': tampered,
  'refusal.too-old': 'Der Nachweis ist zu alt.',
  'refusal.too-old.do': ask,
  'refusal.clock': 'Die Uhren dieses Geräts und der Enklave gehen zu weit auseinander.',
  'refusal.clock.do': `${clock} Wenn sie stimmen: ${tellOperator}`,
  'refusal.keys': 'Die Schlüssel sind nicht die, die die Enklave signiert hat.',
  'refusal.keys.do': tampered,
  'refusal.model': 'Auf der Enklave läuft ein anderes Modell als das verlangte oder angenommene.',
  'refusal.model.do': `${ask} ${tellOperator}`,
  'refusal.weights': 'Die Gewichte des Modells sind nicht die, die dieser Client annimmt.',
  'refusal.weights.do': newRelease,
  'refusal.collateral-missing': 'Die Zertifikate des Herstellers für diese Maschine kamen nicht mit.',
  'refusal.collateral-missing.do': 'Das Relay holt sie beim Hersteller. Fragen Sie in einer Weile erneut.',
  'refusal.reference-values': 'Auf der GPU läuft nicht, was ihr Hersteller veröffentlicht hat.',
  'refusal.reference-values.do': machine,
  'refusal.not-confidential': 'Die GPU ist nicht im vertraulichen Modus.',
  'refusal.not-confidential.do': machine,
  'refusal.wrong-deployment': 'Die Enklave gehört zu einer anderen Installation als der dieses Dienstes.',
  'refusal.wrong-deployment.do': tellOperator,
  'refusal.log': 'Die Enklave steht nicht in dem öffentlichen Protokoll, in dem sie stehen muss.',
  'refusal.log.do': tampered,
};
