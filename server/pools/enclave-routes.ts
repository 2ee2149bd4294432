import * as v from 'valibot';
import { enclaveChoice, enclaveRequest } from '../../crypto/protocol/messages/enclave-messages.ts';
import { formatField, modelField } from '../../crypto/protocol/messages/fields.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import { chooseEnclave, type ChooseDependencies } from './choose-enclave.ts';
import { enclaveErrors } from './enclave-call.ts';

const modelsAnswer = v.strictObject({
  format: formatField,
  models: v.pipe(v.array(modelField), v.maxLength(1000)),
});

export function enclaveRoutes(dependencies: ChooseDependencies): Route[] {
  return [
    defineRoute({
      name: 'listModels',
      summary: 'The models that enclaves serve now.',
      method: 'GET',
      url: '/v1/models',
      access: 'session',
      answers: { 200: modelsAnswer },
      errors: enclaveErrors,
      handle: async () => answer({ format: 1, models: await dependencies.pool.listModels() }),
    }),
    defineRoute({
      name: 'askEnclave',
      summary: 'An enclave for a model, with evidence that covers the client’s nonce.',
      method: 'POST',
      url: '/v1/enclaves',
      access: 'session',
      body: enclaveRequest,
      answers: { 200: enclaveChoice },
      errors: enclaveErrors,
      limits: ['evidence'],
      async handle({ session, body, takeLimit }) {
        if (body.freshEvidence === true) takeLimit('fresh-evidence');
        return answer(await chooseEnclave(dependencies, session.accountId, body));
      },
    }),
  ];
}
