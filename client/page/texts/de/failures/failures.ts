import type { failureWords as english } from '../../en/failures/failures.ts';
import type { Wording } from '../../text-arguments.ts';
import { currentBrowser, reload, tellOperator } from './advice.ts';

export const failureWords: Wording<typeof english> = {
  'failure.wrong-password': 'Das ist nicht Ihr jetziges Passwort.',
  'failure.wrong-password.do': 'Prüfen Sie es, und versuchen Sie es noch einmal.',
  'failure.proof-needed': 'Seit Sie sich mit Ihren 24 Wörtern angemeldet haben, ist einige Zeit vergangen.',
  'failure.proof-needed.do': 'Geben Sie sie noch einmal ein.',
  'failure.invalid-user-name': 'Das kann kein Benutzername sein.',
  'failure.invalid-user-name.do':
    'Ein Benutzername hat 3 bis 64 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche.',
  'failure.weak-password': 'Dieses Passwort ist zu leicht zu erraten.',
  'failure.weak-password.do': 'Verwenden Sie mindestens 12 Zeichen, am besten mehrere Wörter ohne Zusammenhang.',
  'failure.password-too-long': 'Dieses Passwort ist zu lang.',
  'failure.password-too-long.do': 'Verwenden Sie höchstens 1.024 Zeichen.',
  'failure.invalid-phrase': 'Das sind nicht die 24 Wörter eines Kontos.',
  'failure.invalid-phrase.do': 'Prüfen Sie Schreibweise und Reihenfolge.',
  'failure.sign-up-lapsed': 'Das Anlegen dieses Kontos wurde vor dem Ende verlassen.',
  'failure.sign-up-lapsed.do': 'Beginnen Sie noch einmal mit Benutzername und Passwort.',
  'failure.too-many-attempts': 'Zu viele Versuche.',
  'failure.too-many-attempts.do': 'Warten Sie einige Minuten, und versuchen Sie es dann noch einmal.',
  'failure.already-open': 'In diesem Browser ist schon ein Konto geöffnet.',
  'failure.already-open.do':
    'Laden Sie die Seite neu, um es zu sehen; melden Sie sich dort ab, um ein anderes zu öffnen.',
  'failure.relay-unreachable': 'Das Relay ist nicht erreichbar.',
  'failure.relay-unreachable.do': `Prüfen Sie Ihre Verbindung, und versuchen Sie es noch einmal. ${tellOperator}`,
  'failure.foreign-answer': 'Etwas im Netzwerk hat anstelle des Relays geantwortet.',
  'failure.foreign-answer.do': `Das tut ein Proxy, eine Firewall oder die Anmeldeseite eines Netzwerks. Prüfen Sie das Netzwerk, und versuchen Sie es dann noch einmal. ${tellOperator}`,
  'failure.too-large-on-the-way': 'Ein Proxy im Netzwerk nimmt nichts so Großes an, und das Relay hat es nie gesehen.',
  'failure.too-large-on-the-way.do':
    'Kürzen Sie es, oder sagen Sie dem Betreiber dieses Dienstes, dass die Grenze des Proxys zu niedrig ist.',
  'failure.too-many-on-the-way': 'Ein Proxy im Netzwerk lässt vorerst keine Anfragen mehr durch.',
  'failure.too-many-on-the-way.do': 'Warten Sie einige Minuten, und versuchen Sie es dann noch einmal.',
  'failure.malformed-answer': 'Es kam eine Antwort, die diese Version von Sotto nicht versteht.',
  'failure.malformed-answer.do': `Das tut ein Relay einer anderen Version oder etwas im Netzwerk, das an seiner Stelle antwortet. ${reload}`,
  'failure.session-ended': 'Ihre Sitzung ist beendet.',
  'failure.session-ended.do': 'Bitte melden Sie sich wieder an.',
  'failure.server-key-changed':
    'Das Relay hat mit einem anderen Schlüssel geantwortet als dem, mit dem dieses Konto angelegt wurde. Es wurde nichts gesendet.',
  'failure.server-key-changed.do': 'Machen Sie nicht weiter, bevor Sie wissen, warum.',
  'failure.vault-tampered':
    'Das Relay hat etwas geschickt, das unterwegs verändert wurde oder nicht zu Ihrem Tresor gehört. Es wurde nicht verwendet.',
  'failure.vault-tampered.do': reload,
  'failure.vault-rolled-back':
    'Das Relay hat einen älteren Stand Ihres Tresors geschickt, als dieser Browser schon gesehen hat. Er wurde nicht verwendet.',
  'failure.vault-rolled-back.do': 'Fragen Sie den Betreiber dieses Dienstes, ob eine Sicherung eingespielt wurde.',
  'failure.evidence-refused': 'Die Enklave konnte nicht beweisen, was sie beweisen muss. Es wurde ihr nichts gesendet.',
  'failure.evidence-refused.do': 'Sehen Sie beim Schild nach.',
  'failure.enclave-changed': 'Die Enklave wurde durch eine mit anderem Schutz ersetzt.',
  'failure.enclave-changed.do': 'Sehen Sie beim Schild nach, und versuchen Sie es dann noch einmal.',
  'failure.not-stored':
    'Das Relay hat abgelehnt zu speichern, was Sie zuletzt getan haben. Es ist nur in diesem Browser aufgehoben und wird erneut versucht.',
  'failure.not-stored.do': tellOperator,
  'failure.message-too-long': 'Diese Nachricht ist zu lang zum Senden.',
  'failure.message-too-long.do': 'Kürzen Sie sie, oder senden Sie sie in Teilen.',
  'failure.message-empty': 'In dieser Nachricht gibt es nichts zu lesen.',
  'failure.message-empty.do': 'Schreiben Sie ein paar Worte.',
  'failure.title-empty': 'In einem Titel muss es etwas zu lesen geben.',
  'failure.title-empty.do': 'Schreiben Sie ein paar Worte.',
  'failure.title-too-long': 'Dieser Titel ist zu lang.',
  'failure.title-too-long.do': 'Verwenden Sie höchstens 200 Zeichen.',
  'failure.preference-too-long': 'Das ist zu lang, um es mit dem Konto aufzubewahren.',
  'failure.preference-too-long.do': 'Kürzen Sie es.',
  'failure.not-here': 'Das ist nicht mehr in Ihrem Tresor.',
  'failure.not-here.do': 'Wahrscheinlich wurde es gelöscht, hier oder auf einem anderen Gerät.',
  'failure.written-elsewhere': 'Andere Ihrer Geräte haben immer wieder im selben Augenblick geschrieben.',
  'failure.written-elsewhere.do': 'Versuchen Sie es noch einmal.',
  'failure.storage-unavailable': 'Dieser Browser lässt Sotto nichts aufbewahren.',
  'failure.storage-unavailable.do':
    'Das liegt an privaten Fenstern oder an Einstellungen gegen Websitedaten. Nehmen Sie ein gewöhnliches Fenster, oder erlauben Sie es für diese Seite.',
  'failure.storage-silent':
    'Der Speicher dieses Browsers hat noch nicht geantwortet; Sotto macht weiter, sobald er es tut.',
  'failure.storage-silent.do':
    'Wenn es so bleibt, schließen Sie die anderen Tabs von Sotto, oder starten Sie den Browser neu.',
  'failure.browser-storage-full': 'Dieser Browser hat keinen Platz mehr, um etwas aufzubewahren.',
  'failure.browser-storage-full.do': 'Schaffen Sie Platz auf diesem Gerät, und versuchen Sie es dann noch einmal.',
  'failure.cache-damaged':
    'Was dieser Browser von Ihren Chats aufbewahrt hatte, war beschädigt. Es wurde beiseitegelegt und wird neu geholt; was das Relay hat, ist nicht betroffen.',
  'failure.cache-damaged.do':
    'Sie müssen nichts tun. Wenn es wieder vorkommt, prüfen Sie den Datenträger dieses Geräts.',
  'failure.part-missing': 'Ein Teil dieser Seite ist nicht angekommen.',
  'failure.part-missing.do': 'Prüfen Sie Ihre Verbindung, und laden Sie die Seite dann neu.',
  'failure.browser-failed': 'In diesem Browser ist etwas schiefgegangen.',
  'failure.browser-failed.do':
    'Laden Sie die Seite neu, und versuchen Sie es noch einmal. Wenn es so bleibt, nehmen Sie einen anderen Browser.',
  'failure.page-insecure':
    'Diese Seite kam über eine ungeschützte Verbindung, und auf einer solchen Seite verschlüsseln Browser nichts.',
  'failure.page-insecure.do': `Öffnen Sie die Adresse, die mit https:// beginnt. ${tellOperator}`,
  'failure.webassembly-off': 'WebAssembly ist in diesem Browser abgeschaltet, und Sotto verschlüsselt damit.',
  'failure.webassembly-off.do':
    'Das liegt am Blockierungsmodus oder an strengen Einstellungen. Erlauben Sie es für diese Seite, und laden Sie sie dann neu.',
  'failure.workers-off': 'Dieser Browser lässt Sotto den Worker nicht starten, der Ihre Schlüssel verwahrt.',
  'failure.workers-off.do':
    'Das liegt an einer Erweiterung oder einer Einstellung. Erlauben Sie es für diese Seite, und laden Sie sie dann neu.',
  'failure.worker-failed': 'Der Teil von Sotto, der Ihre Schlüssel verwahrt, läuft in diesem Browser nicht.',
  'failure.worker-failed.do': `Laden Sie die Seite neu. Wenn es so bleibt: ${currentBrowser}`,
  'failure.locks-missing': 'Diesem Browser fehlen die Web Locks, mit denen sich die Tabs von Sotto abwechseln.',
  'failure.locks-missing.do': currentBrowser,
  'failure.channel-missing':
    'Diesem Browser fehlt BroadcastChannel, womit die Tabs von Sotto von einer Sperre oder Abmeldung erfahren.',
  'failure.channel-missing.do': currentBrowser,
  'failure.other-version':
    'Das Relay hat etwas geschickt, das eine andere Version von Sotto geschrieben hat oder das unterwegs verändert wurde. Es wurde nicht verwendet.',
  'failure.other-version.do': reload,
  'failure.newer-keys':
    'Das Relay hat etwas geschickt, das mit neueren Schlüsseln versiegelt ist, als dieser Browser hat, oder das unterwegs verändert wurde. Es wurde nicht verwendet.',
  'failure.newer-keys.do': 'Sperren und entsperren Sie Sotto.',
  'failure.unknown': 'Das ist aus einem Grund fehlgeschlagen, den diese Version von Sotto nicht kennt.',
  'failure.unknown.do': reload,
  'failure.try-in': 'Versuchen Sie es in {wait} noch einmal.',
};
