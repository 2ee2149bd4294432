import { describe, expect, it } from 'vitest';
import * as oracle from '../../parts/crypto/opaque-oracle.ts';
import vectors from '../../vectors/opaque-ristretto255.rfc9807.json' with { type: 'json' };

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

type Named = Readonly<Record<string, string>>;
const named = vectors.tests.map((test) => ({
  fake: test.fake,
  context: hex(test.context),
  inputs: test.inputs as Named,
  intermediates: (test.intermediates ?? {}) as Named,
  outputs: test.outputs as Named,
}));
const field = (from: Named, name: string) => {
  const value = from[name];
  if (value === undefined) throw new Error(`the vector has no ${name}`);
  return hex(value);
};
const identitiesOf = (inputs: Named): oracle.Identities => ({
  client: inputs['client_identity'] === undefined ? undefined : hex(inputs['client_identity']),
  server: inputs['server_identity'] === undefined ? undefined : hex(inputs['server_identity']),
});

describe('RFC 9807 Appendix C through the independent OPAQUE', () => {
  it('has both real vectors and a fake one', () => {
    expect(named.map(({ fake }) => fake)).toEqual([false, false, true]);
  });

  it.each(named.filter(({ fake }) => !fake))(
    'registration and login, vector %#',
    ({ context, inputs, intermediates, outputs }) => {
      const identities = identitiesOf(inputs);
      const password = field(inputs, 'password');
      const setup = { oprfSeed: field(inputs, 'oprf_seed'), secretKey: field(inputs, 'server_private_key') };
      const identifier = field(inputs, 'credential_identifier');
      const registrationBlind = field(inputs, 'blind_registration');
      const request = oracle.blind(password, registrationBlind);
      expect(toHex(request)).toBe(outputs['registration_request']);
      const response = oracle.answerRegistration(setup, identifier, request);
      expect(toHex(response)).toBe(outputs['registration_response']);
      const registered = oracle.finishClientRegistration({
        password,
        blind: registrationBlind,
        response,
        envelopeNonce: field(inputs, 'envelope_nonce'),
        identities,
        stretch: oracle.noStretch,
      });
      expect(toHex(registered.upload)).toBe(outputs['registration_upload']);
      expect(toHex(registered.exportKey)).toBe(outputs['export_key']);
      expect(toHex(registered.randomized)).toBe(intermediates['randomized_password']);
      expect(toHex(registered.authKey)).toBe(intermediates['auth_key']);

      const loginBlind = field(inputs, 'blind_login');
      const keyshareSeed = field(inputs, 'client_keyshare_seed');
      const ke1 = oracle.startClientLogin({
        password,
        blind: loginBlind,
        nonce: field(inputs, 'client_nonce'),
        keyshareSeed,
      });
      expect(toHex(ke1)).toBe(outputs['KE1']);
      const answer = oracle.answerLogin({
        setup,
        identifier,
        upload: registered.upload,
        ke1,
        maskingNonce: field(inputs, 'masking_nonce'),
        nonce: field(inputs, 'server_nonce'),
        keyshareSeed: field(inputs, 'server_keyshare_seed'),
        context,
        identities,
      });
      expect(toHex(answer.ke2)).toBe(outputs['KE2']);
      const login = {
        password,
        blind: loginBlind,
        keyshareSeed,
        ke1,
        ke2: answer.ke2,
        context,
        identities,
        stretch: oracle.noStretch,
      };
      const finished = oracle.finishClientLogin(login);
      expect(toHex(finished!.ke3)).toBe(outputs['KE3']);
      expect(toHex(finished!.sessionKey)).toBe(outputs['session_key']);
      expect(toHex(answer.sessionKey)).toBe(outputs['session_key']);
      expect(oracle.finishClientLogin({ ...login, password: Uint8Array.of(...password, 0) })).toBeNull();
    },
  );

  it.each(named.filter(({ fake }) => fake))(
    'the answer to an unknown name, vector %#',
    ({ context, inputs, outputs }) => {
      const answer = oracle.answerLogin({
        setup: { oprfSeed: field(inputs, 'oprf_seed'), secretKey: field(inputs, 'server_private_key') },
        identifier: field(inputs, 'credential_identifier'),
        upload: new Uint8Array([
          ...field(inputs, 'client_public_key'),
          ...field(inputs, 'masking_key'),
          ...new Uint8Array(96),
        ]),
        ke1: field(inputs, 'KE1'),
        maskingNonce: field(inputs, 'masking_nonce'),
        nonce: field(inputs, 'server_nonce'),
        keyshareSeed: field(inputs, 'server_keyshare_seed'),
        context,
        identities: identitiesOf(inputs),
      });
      expect(toHex(answer.ke2)).toBe(outputs['KE2']);
    },
  );
});
