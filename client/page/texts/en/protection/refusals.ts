const ask = 'Ask again: a healthy enclave answers correctly the next time.';
const tellOperator = 'If it happens again, tell whoever runs this service, and do not go around it.';
const tampered = `Something on the way may have been changed. ${ask} ${tellOperator}`;
const machine = `Ask again: another machine may answer. ${tellOperator}`;
const update = 'Whoever runs this service has to update the machine. Ask again later.';
const newRelease =
  'Reload the page: a newer client may know this release. If it stays, this service runs software that your client was not built for.';

/** For every reason why an enclave is refused: the end of a sentence that says that nothing is sent, and behind `.do` what one can do. */
export const refusalWords = {
  'refusal.policy-incomplete': 'this client was built without a complete policy.',
  'refusal.policy-incomplete.do':
    'Whoever runs this service has to build the client anew. No enclave can be accepted before.',
  'refusal.kind-not-allowed': 'the enclave brings a kind of evidence that this client does not accept.',
  'refusal.kind-not-allowed.do':
    'Nothing that you set here changes this: it is compiled into the client. Tell whoever runs this service.',
  'refusal.below-minimum': 'this enclave offers less protection than you ask for.',
  'refusal.below-minimum.do':
    'Ask again for another enclave, or lower the minimum for this conversation if its contents allow it.',
  'refusal.malformed': 'the evidence is not readable.',
  'refusal.malformed.do': tampered,
  'refusal.unsupported': 'this client cannot check that kind of evidence.',
  'refusal.unsupported.do': 'Reload the page: a newer client may be able to.',
  'refusal.identity-mismatch': 'the evidence belongs to another enclave than the one that answers.',
  'refusal.identity-mismatch.do': tampered,
  'refusal.signature': 'a signature is wrong.',
  'refusal.signature.do': tampered,
  'refusal.chain': 'the certificates do not lead to the maker of the hardware.',
  'refusal.chain.do': tampered,
  'refusal.untrusted-root': 'the certificates lead to somebody that this client does not trust.',
  'refusal.untrusted-root.do': tampered,
  'refusal.not-yet-valid': 'a certificate is not valid yet.',
  'refusal.not-yet-valid.do': 'Check the date and time of this device, then ask again.',
  'refusal.expired': 'a certificate or a statement has run out.',
  'refusal.expired.do': 'Check the date and time of this device, then ask again.',
  'refusal.revoked': 'the maker has revoked the certificate of this machine.',
  'refusal.revoked.do': machine,
  'refusal.wrong-machine': 'the certificates belong to another machine.',
  'refusal.wrong-machine.do': tampered,
  'refusal.debug': 'the machine runs in debug mode, in which its owner can look inside.',
  'refusal.debug.do': machine,
  'refusal.migration': 'the machine may be moved to another one that nobody checked.',
  'refusal.migration.do': machine,
  'refusal.guest-policy': 'the machine was started with rights that this client does not accept.',
  'refusal.guest-policy.do': machine,
  'refusal.privilege-level': 'the evidence was not made by the software that it speaks about.',
  'refusal.privilege-level.do': machine,
  'refusal.outdated-firmware': 'the firmware of the machine is too old.',
  'refusal.outdated-firmware.do': update,
  'refusal.outdated-collateral': 'the maker’s information about this machine is out of date.',
  'refusal.outdated-collateral.do':
    'The relay has to fetch it anew. Ask again in a while; check the date and time of this device too.',
  'refusal.measurement': 'the machine runs software that is not in the release list.',
  'refusal.measurement.do': newRelease,
  'refusal.report-data': 'the hardware did not sign the key of this enclave.',
  'refusal.report-data.do': tampered,
  'refusal.nonce': 'the evidence answers another question: it may be an old one.',
  'refusal.nonce.do': tampered,
  'refusal.too-old': 'the evidence is too old.',
  'refusal.too-old.do': ask,
  'refusal.clock': 'the clock of this device and that of the enclave are too far apart.',
  'refusal.clock.do': `Check the date and time of this device, then ask again. If they are right: ${tellOperator}`,
  'refusal.keys': 'the keys are not those that the enclave signed.',
  'refusal.keys.do': tampered,
  'refusal.model': 'the enclave runs another model than the one asked for or accepted.',
  'refusal.model.do': `${ask} ${tellOperator}`,
  'refusal.weights': 'the weights of the model are not those that this client accepts.',
  'refusal.weights.do': newRelease,
  'refusal.collateral-missing': 'the maker’s certificates for this machine did not come with it.',
  'refusal.collateral-missing.do': 'The relay fetches them from the maker. Ask again in a while.',
  'refusal.reference-values': 'the GPU does not run what its maker published.',
  'refusal.reference-values.do': machine,
  'refusal.not-confidential': 'the GPU is not in confidential mode.',
  'refusal.not-confidential.do': machine,
  'refusal.wrong-deployment': 'the enclave belongs to another deployment than the one of this service.',
  'refusal.wrong-deployment.do': tellOperator,
  'refusal.log': 'the enclave is not in the public log in which it has to be.',
  'refusal.log.do': tampered,
} as const;
