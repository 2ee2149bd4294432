import { encodeUtf8 } from '../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../crypto/protocol/bytes/secret.ts';
import { isLoopbackAddress } from '../process/loopback.ts';
import type { Values } from '../process/settings/read-values.ts';

/** The rules below look at these. */
export type Surroundings = Pick<
  Values<'worker'>,
  | 'EVIDENCE'
  | 'EVIDENCE_GPU'
  | 'REGISTRAR_URL'
  | 'ENGINE'
  | 'LLM_BASE_URL'
  | 'LLM_WEIGHTS_FOLDER'
  | 'LLM_WEIGHTS_MANIFEST'
>;

/**
 * Says what evidence demands of everything else: evidence is about one machine, so the model has to be in it, and named.
 *
 * @returns a sentence, or null.
 */
export function complainOfSurroundings(values: Surroundings): string | null {
  const { EVIDENCE: kind, ENGINE: engine } = values;
  if (values.EVIDENCE_GPU === 'nvidia' && kind !== 'sev-snp' && kind !== 'tdx') {
    return 'EVIDENCE_GPU=nvidia needs EVIDENCE=sev-snp or EVIDENCE=tdx: a GPU alone vouches for no machine.';
  }
  if (kind === 'development') return null;
  if (engine === 'auto') return `EVIDENCE=${kind} needs ENGINE=openai, gguf or rehearsal: it vouches for a chosen one.`;
  if (engine === 'openai' && !isInsideMachine(values.LLM_BASE_URL ?? '')) {
    return `EVIDENCE=${kind} needs the model server inside this machine: LLM_BASE_URL must be http://127.0.0.1:…, http://[::1]:… or unix:/….`;
  }
  if (kind === 'modal') {
    return values.REGISTRAR_URL === null ? 'EVIDENCE=modal needs REGISTRAR_URL, the address of the registrar.' : null;
  }
  if (values.LLM_WEIGHTS_MANIFEST !== null) {
    return `EVIDENCE=${kind} needs weights that are measured: give LLM_WEIGHTS_FOLDER instead of LLM_WEIGHTS_MANIFEST.`;
  }
  return engine === 'openai' && values.LLM_WEIGHTS_FOLDER === null
    ? `EVIDENCE=${kind} with ENGINE=openai needs LLM_WEIGHTS_FOLDER, the folder that the model server reads.`
    : null;
}

/**
 * Takes Modal's identity token out of the environment: from then on no child of this process, and nothing that prints
 * the environment, has it.
 *
 * @returns null where there is none, or what is there is no token.
 */
export function takeIdentityToken(environment: NodeJS.ProcessEnv): Secret<'IdentityToken'> | null {
  const token = environment['MODAL_IDENTITY_TOKEN'];
  delete environment['MODAL_IDENTITY_TOKEN'];
  const isToken = token !== undefined && token.length <= 8192 && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  return isToken ? new Secret('IdentityToken', encodeUtf8(token)) : null;
}

/** An address in figures: a name, `localhost` even, is what the machine's files make of it. */
function isInsideMachine(baseUrl: string): boolean {
  if (baseUrl.startsWith('unix:')) return true;
  if (!URL.canParse(baseUrl)) return false;
  const { hostname } = new URL(baseUrl);
  return isLoopbackAddress(hostname);
}
