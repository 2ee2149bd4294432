import { EngineError } from '../engine/engine.ts';
import { type Silence, SilentServer } from '../engine/silent-server.ts';
import { readShortBody, type UpstreamCaller } from './wire/upstream-call.ts';
import { listNames, type ListedModel, readableName, readModelList } from './model-list.ts';
import { readRefusal } from './refusals/refusal.ts';

/** At the start, where somebody waits; later there is more time, since a hosted service may take it. */
const probeMs = 2_000;
export const patientMs = 10_000;
/** Hosted services list some hundred models with long descriptions. */
const longestList = 8 * 1024 * 1024;

/** The state of the server behind an address. `models` is null where the server has no list of them. */
export type ServerState =
  | { readonly kind: 'up'; readonly models: readonly ListedModel[] | null }
  | { readonly kind: 'silent'; readonly why: Silence }
  | { readonly kind: 'loading' }
  | { readonly kind: 'key-refused' | 'no-interface' | 'failing'; readonly status: number };

type Answer = { readonly status: number; readonly body: unknown };

/** Asks a server whether it is up, where its interface begins and what it serves; the caller keeps the place. */
export async function probeServer(
  caller: UpstreamCaller,
  signal: AbortSignal,
  withinMs = probeMs,
): Promise<ServerState> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  /** The first reason against it: there may be an answer elsewhere all the same. */
  let doubt: ServerState | null = null;
  try {
    let status = 404;
    for (const baseUrl of caller.candidates) {
      const answer = await ask(caller, { baseUrl, path: '/models', signal: limited });
      const models = answer.status === 200 ? readModelList(answer.body) : null;
      if (models !== null) {
        caller.useBase(baseUrl);
        return { kind: 'up', models };
      }
      const state = stateOf(answer);
      if (state?.kind === 'loading') return state;
      doubt ??= state;
      status = answer.status;
    }
    if (doubt?.kind === 'key-refused' && doubt.status === 401) return doubt;
    // No list, or none for this key: an empty question tells whether answers are given there at all.
    for (const baseUrl of caller.candidates) {
      const answer = await ask(caller, { baseUrl, path: '/chat/completions', body: {}, signal: limited });
      if (isComplaint(answer, doubt === null)) {
        caller.useBase(baseUrl);
        return { kind: 'up', models: null };
      }
      const state = stateOf(answer);
      if (state?.kind === 'loading') return state;
      doubt ??= state;
    }
    return doubt ?? { kind: 'no-interface', status };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return doubt ?? { kind: 'silent', why: error instanceof SilentServer ? error.why : 'no-http' };
  }
}

/** True where an empty question was read and found wanting. Small servers fall over it; one that does so always is no server. */
function isComplaint({ status, body }: Answer, mayFail: boolean): boolean {
  const isJson = typeof body === 'object';
  return (isJson && [200, 400, 415, 422].includes(status)) || (mayFail && status === 500);
}

async function ask(
  caller: UpstreamCaller,
  call: { baseUrl: string; path: string; body?: unknown; signal: AbortSignal },
): Promise<Answer> {
  const response = await caller.call({ ...call, idleMs: patientMs });
  return { status: response.statusCode ?? 0, body: await readShortBody(response, longestList) };
}

/** null: there is nothing here, and elsewhere there may be. */
function stateOf({ status, body }: Answer): ServerState | null {
  if (status === 401 || status === 403) return { kind: 'key-refused', status };
  if (status < 500) return null;
  return readRefusal(status, body).reason === 'model-loading' ? { kind: 'loading' } : { kind: 'failing', status };
}

/** Says what to do about a server that says nothing. */
const silenceTexts: Readonly<Record<Silence, string>> = {
  'connection-refused': 'does not answer yet; trying again.',
  'no-answer-in-time': 'does not answer in time; trying again.',
  'host-unknown': 'has a name that is not known here (LLM_BASE_URL); trying again.',
  'connection-lost': 'ends each connection without an answer (https:// or http:// in LLM_BASE_URL?); trying again.',
  'certificate-not-trusted': 'shows a certificate that is not trusted here: NODE_EXTRA_CA_CERTS names further ones.',
  'certificate-expired': 'shows a certificate that has expired or is not valid yet; trying again.',
  'certificate-of-another': 'shows a certificate for another name than the one in LLM_BASE_URL.',
  'tls-refused': 'refuses the TLS connection: another version of TLS, or it asks for a certificate of the client.',
  'not-permitted': 'may not be reached by this process: look at the permissions of the socket.',
  'no-tls': 'speaks no TLS there: LLM_BASE_URL begins with http:// then.',
  'no-http': 'speaks no HTTP/1.1 there; trying again.',
};

/** The model to ask for: by its name for clients, and by the server's id. */
export type ChosenModel = { readonly model: string; readonly serverModel: string };

/** @returns null where no listed model answers questions. */
export function chooseModel(state: ServerState, named: string | undefined): ChosenModel | null {
  if (state.kind !== 'up') return null;
  const id = named ?? state.models?.find(({ canChat }) => canChat)?.id;
  return id === undefined ? null : { model: readableName(id), serverModel: id };
}

/** True if a model is on the server's list; null where there is no list. */
export function lists(state: ServerState, serverModel: string): boolean | null {
  if (state.kind !== 'up' || state.models === null) return null;
  return state.models.some(({ id }) => id === serverModel);
}

/**
 * For the terminal: why this server does not answer questions yet, and what to do.
 *
 * @param gone - The model that it listed before and does not list any more.
 */
export function problemText(state: ServerState, hasKey: boolean, gone?: string): string {
  switch (state.kind) {
    case 'silent':
      return silenceTexts[state.why];
    case 'loading':
      return 'is loading its model; trying again.';
    case 'failing':
      return `has a fault (status ${state.status}); trying again.`;
    case 'key-refused':
      return hasKey
        ? `does not accept LLM_API_KEY (status ${state.status}).`
        : `asks for a key (status ${state.status}): set LLM_API_KEY.`;
    case 'no-interface':
      if (state.status >= 300 && state.status < 400) {
        return `leads elsewhere (status ${state.status}): set LLM_BASE_URL to where it leads.`;
      }
      return `has no OpenAI interface there (status ${state.status}): LLM_BASE_URL mostly ends in /v1.`;
    case 'up':
      if (gone !== undefined) {
        const listed = listNames(state.models ?? []);
        return `does not offer ${gone} any more${listed === '' ? '' : ` (but ${listed})`}; nothing is answered under that name.`;
      }
      if (state.models === null) return 'lists no models: set LLM_MODEL to the one to ask for.';
      return state.models.length === 0
        ? 'has no model: load one there, or set LLM_MODEL.'
        : `offers no model that answers questions (${listNames(state.models)}): set LLM_MODEL to take one anyway.`;
  }
}

/** For the terminal: which model was taken, and out of which. */
export function choiceText({ model, serverModel }: ChosenModel, state: ServerState, host: string): string {
  const id = model === serverModel ? '' : `, there “${serverModel}”`;
  const models = state.kind === 'up' ? (state.models ?? []) : [];
  const isListed = models.length === 0 || models.some((listed) => listed.id === serverModel);
  const listed = models.length > 1 || !isListed ? ` It offers ${listNames(models)}.` : '';
  const missing = isListed ? '' : ' LLM_MODEL is not one of them and is asked for all the same.';
  return `Model: ${model}, by the server ${host} (LLM_BASE_URL)${id}.${listed}${missing}`;
}
