import * as v from 'valibot';
import {
  type RegistrarAnswer,
  registrarAnswer,
  registrarChallengeAnswer,
  registrarErrorAnswer,
  type RegistrarErrorCode,
} from '../../../crypto/protocol/messages/registrar-messages.ts';
import { EvidenceError } from '../source/evidence-source.ts';

const limitMs = 30_000;
const maximumAnswerLength = 65_536;

/** The registrar refused with this; its code is from a fixed list. */
export class RegistrarRefused extends Error {
  override readonly name = 'RegistrarRefused';
  readonly code: RegistrarErrorCode;

  constructor(code: RegistrarErrorCode) {
    super(code);
    this.code = code;
  }
}

/** The two calls of a registrar (SPEC.md §9.6). It follows no redirect: the token goes to the host that was configured. */
export class RegistrarClient {
  readonly #baseUrl: string;

  /** @param baseUrl - The form of `REGISTRAR_URL`. */
  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
  }

  async challenge(): Promise<string> {
    return (await this.#call('/v1/challenge', { format: 1 }, registrarChallengeAnswer)).challenge;
  }

  /** @param proof.identityToken - Given on the first call alone. */
  ask(proof: {
    readonly identityToken?: string;
    readonly identityPublicKey: string;
    readonly challenge: string;
    readonly signature: string;
  }): Promise<RegistrarAnswer> {
    const path = proof.identityToken === undefined ? '/v1/renew' : '/v1/register';
    return this.#call(path, { format: 1, ...proof }, registrarAnswer);
  }

  /** @throws {RegistrarRefused}, {EvidenceError} `registrar-unreachable`, `malformed`. */
  async #call<Schema extends v.GenericSchema>(
    path: string,
    body: object,
    schema: Schema,
  ): Promise<v.InferOutput<Schema>> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${this.#baseUrl}${path}`, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(limitMs),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      status = response.status;
      text = await readText(response);
    } catch (error) {
      if (error instanceof EvidenceError) throw error;
      // The cause can hold addresses; that there was no answer says enough.
      throw new EvidenceError('registrar-unreachable');
    }
    const answer = parseJson(text);
    if (status !== 200) {
      const refusal = v.safeParse(registrarErrorAnswer, answer);
      if (refusal.success) throw new RegistrarRefused(refusal.output.error);
      // A proxy in front of a registrar that is not there.
      throw new EvidenceError(status >= 500 ? 'registrar-unreachable' : 'registrar-refused');
    }
    const parsed = v.safeParse(schema, answer);
    if (!parsed.success) throw new EvidenceError('malformed');
    return parsed.output;
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maximumAnswerLength) throw new EvidenceError('too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
