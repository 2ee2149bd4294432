import type { RefusalCode, RefusedEnclave } from '../../vault/api/vault-api.ts';

type RefusalText = {
  /** What failed, as the end of a sentence that says that nothing is sent. */
  readonly what: string;
  /** What a person can do. */
  readonly advice: string;
};

const ask = 'Ask again: a healthy enclave answers correctly the next time.';
const tellOperator = 'If it happens again, tell whoever runs this service, and do not go around it.';
const tampered = `Something on the way may have been changed. ${ask} ${tellOperator}`;
const machine = `Ask again: another machine may answer. ${tellOperator}`;
const update = 'Whoever runs this service has to update the machine. Ask again later.';
const newRelease =
  'Reload the page: a newer client may know this release. If it stays, this service runs software that your client was not built for.';

/** For every reason why an enclave is refused: what failed, and what one can do. */
const texts: Record<RefusalCode, RefusalText> = {
  'policy-incomplete': {
    what: 'this client was built without a complete policy.',
    advice: 'Whoever runs this service has to build the client anew. No enclave can be accepted before.',
  },
  'kind-not-allowed': {
    what: 'the enclave brings a kind of evidence that this client does not accept.',
    advice: 'Nothing that you set here changes this: it is compiled into the client. Tell whoever runs this service.',
  },
  'below-minimum': {
    what: 'this enclave offers less protection than you ask for.',
    advice: 'Ask again for another enclave, or lower the minimum for this conversation if its contents allow it.',
  },
  malformed: { what: 'the evidence is not readable.', advice: tampered },
  unsupported: {
    what: 'this client cannot check that kind of evidence.',
    advice: 'Reload the page: a newer client may be able to.',
  },
  'identity-mismatch': { what: 'the evidence belongs to another enclave than the one that answers.', advice: tampered },
  signature: { what: 'a signature is wrong.', advice: tampered },
  chain: { what: 'the certificates do not lead to the maker of the hardware.', advice: tampered },
  'untrusted-root': {
    what: 'the certificates lead to somebody that this client does not trust.',
    advice: tampered,
  },
  'not-yet-valid': {
    what: 'a certificate is not valid yet.',
    advice: 'Check the date and time of this device, then ask again.',
  },
  expired: {
    what: 'a certificate or a statement has run out.',
    advice: 'Check the date and time of this device, then ask again.',
  },
  revoked: { what: 'the maker has revoked the certificate of this machine.', advice: machine },
  'wrong-machine': { what: 'the certificates belong to another machine.', advice: tampered },
  debug: { what: 'the machine runs in debug mode, in which its owner can look inside.', advice: machine },
  migration: { what: 'the machine may be moved to another one that nobody checked.', advice: machine },
  'guest-policy': { what: 'the machine was started with rights that this client does not accept.', advice: machine },
  'privilege-level': { what: 'the evidence was not made by the software that it speaks about.', advice: machine },
  'outdated-firmware': { what: 'the firmware of the machine is too old.', advice: update },
  'outdated-collateral': {
    what: 'the maker’s information about this machine is out of date.',
    advice: 'The relay has to fetch it anew. Ask again in a while; check the date and time of this device too.',
  },
  measurement: { what: 'the machine runs software that is not in the release list.', advice: newRelease },
  'report-data': { what: 'the hardware did not sign the key of this enclave.', advice: tampered },
  nonce: { what: 'the evidence answers another question: it may be an old one.', advice: tampered },
  'too-old': { what: 'the evidence is too old.', advice: ask },
  clock: {
    what: 'the clock of this device and that of the enclave are too far apart.',
    advice: `Check the date and time of this device, then ask again. If they are right: ${tellOperator}`,
  },
  keys: { what: 'the keys are not those that the enclave signed.', advice: tampered },
  model: {
    what: 'the enclave runs another model than the one asked for or accepted.',
    advice: `${ask} ${tellOperator}`,
  },
  weights: { what: 'the weights of the model are not those that this client accepts.', advice: newRelease },
  'collateral-missing': {
    what: 'the maker’s certificates for this machine did not come with it.',
    advice: 'The relay fetches them from the maker. Ask again in a while.',
  },
  'reference-values': { what: 'the GPU does not run what its maker published.', advice: machine },
  'not-confidential': { what: 'the GPU is not in confidential mode.', advice: machine },
  'wrong-deployment': {
    what: 'the enclave belongs to another deployment than the one of this service.',
    advice: tellOperator,
  },
  log: { what: 'the enclave is not in the public log in which it has to be.', advice: tampered },
};

/** Texts of ours: what the evidence itself says is in the checks, never here. */
export function refusalText({ code }: Pick<RefusedEnclave, 'code'>): RefusalText {
  return texts[code];
}
