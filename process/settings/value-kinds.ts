import { resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import * as v from 'valibot';
import { hashField } from '../../crypto/protocol/messages/fields.ts';
import { isNetwork } from '../http/client-address.ts';
import { hostNameOf } from '../http/host-name.ts';
import { isLoopback } from '../loopback.ts';
import { StartError } from '../start-error.ts';
import type { Parse } from './setting.ts';

const longestText = 8_192;

/** Anything of a bearable length; whoever takes it looks closer. */
export const text: Parse<string> = (value, name) => {
  if (value.length > longestText) throw new StartError(`${name} is too long.`);
  return value;
};

/** A path as the folder has it in which Sotto is started. */
export const path: Parse<string> = (value, name) => resolve(text(value, name));

export const programPath: Parse<string> = (value, name) => {
  if (!/^\/.{1,1000}$/.test(value)) throw new StartError(`${name} must be the absolute path of a program.`);
  return value;
};

export function wholeNumber(least: number, most: number): Parse<number> {
  return (value, name) => {
    const parsed = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (parsed >= least && parsed <= most) return parsed;
    throw new StartError(`${name} must be a whole number from ${least} to ${most}.`);
  };
}

/** Whole seconds, as milliseconds. */
export function seconds(least: number, most: number): Parse<number> {
  return (value, name) => 1000 * wholeNumber(least, most)(value, name);
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Parse<Choice> {
  return (value, name) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw new StartError(`${name} ${choices.length === 1 ? 'can only be' : 'must be one of'} ${choices.join(', ')}.`);
  };
}

export const date: Parse<number> = (value, name) => {
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(value) : Number.NaN;
  // Some parsers make the 3rd of March of the 31st of February.
  if (Number.isNaN(timeMs) || !new Date(timeMs).toISOString().startsWith(value)) {
    throw new StartError(`${name} must be a date such as 2026-11-30.`);
  }
  return timeMs;
};

/** Where to listen. */
export const listenHost: Parse<string> = (value, name) => {
  if (/^[\w.:%-]{1,255}$/.test(value)) return value;
  throw new StartError(
    `${name} is not an address of this machine: write 127.0.0.1, ::1, 0.0.0.0 or ::, without brackets.`,
  );
};

/** Relay and worker share this. */
export const sharedToken: Parse<string> = (value, name) => {
  if (/^[!-~]{32,512}$/.test(value)) return value;
  throw new StartError(`${name} needs at least 32 characters without blanks, as from \`openssl rand -hex 32\`.`);
};

/** Somebody else's key or token. */
export const foreignKey: Parse<string> = (value, name) => {
  if (/^[!-~]{1,2048}$/.test(value)) return value;
  throw new StartError(`${name} holds blanks, line ends or accents: give the key alone.`);
};

/** The origin that people type, without the dot of the root, as a browser says it. */
export const publicOrigin: Parse<string> = (value, name) => {
  const url = URL.parse(value);
  const host = url === null ? null : hostNameOf(url.hostname);
  const isLocal = url !== null && isLoopback(url.hostname);
  if (url === null || host === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) {
    throw new StartError(`${name} is not an https address: write https://your.name, as people type it.`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new StartError(`${name} has more than a name: write https://your.name without a path.`);
  }
  url.hostname = host;
  return url.origin;
};

/** Host names as URLs write them. */
export const hostNames: Parse<readonly string[]> = (value, name) =>
  listOf(value).map((part) => {
    const written = /^[\w.:[\]-]*$/.test(part) ? part.toLowerCase() : domainToASCII(part);
    const own = hostNameOf(written);
    if (own === null || own !== written.replace(/\.$/, '')) {
      throw new StartError(`${name} holds something that is no name: write chat.example, separated by commas.`);
    }
    return own;
  });

/** An https address without a slash at the end; plain http on this machine alone. */
export const httpsUrl: Parse<string> = (value, name) => {
  const url = value.length > 2048 ? null : URL.parse(value);
  const isLocal = url !== null && isLoopback(url.hostname);
  const isSafe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal));
  if (!isSafe || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new StartError(`${name} is not an https address: write https://host, without a question mark or a password.`);
  }
  return url.href.replace(/\/+$/, '');
};

export const httpsUrlOrOff: Parse<string> = (value, name) => (value === 'off' ? value : httpsUrl(value, name));

/** Nothing outside of this machine can be named here. */
export const loopbackUrl: Parse<string> = (value, name) => {
  const url = URL.parse(value);
  if (url?.protocol !== 'http:' || !isLoopback(url.hostname) || url.search !== '' || url.username !== '') {
    throw new StartError(`${name} must be an address of this machine, as http://127.0.0.1:9000.`);
  }
  return value.replace(/\/$/, '');
};

export const workerUrls: Parse<readonly string[]> = (value, name) =>
  listOf(value).map((each) => {
    const parsed = URL.parse(each);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.username !== '') {
      throw new StartError(`${name} holds something that is not a URL: write http://host:port, separated by commas.`);
    }
    return each;
  });

/** The URL of a model server, with a name and a password where it wants them. */
export const modelServerUrl: Parse<string> = (value, name) => {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '') || readSocketPath(value) !== null) return value;
  throw new StartError(`${name} must be an address such as http://127.0.0.1:8000/v1, or unix:/… for a socket.`);
};

/** @returns the path of the socket that `unix:/…` names, or null for other addresses. */
export function readSocketPath(baseUrl: string): string | null {
  const [, socketPath] = /^unix:(\/[^\0]{1,100})$/.exec(baseUrl) ?? [];
  return socketPath ?? null;
}

export const modelId: Parse<string> = (value, name) => {
  if (isModelId(value)) return value;
  throw new StartError(`${name} must be a model's id in at most 512 characters, without line ends.`);
};

/** True if a model can be asked for by this id. */
export function isModelId(id: string): boolean {
  return id.trim() !== '' && id.length <= 512 && !/\p{Cc}/u.test(id);
}

export const sha256: Parse<string> = (value, name) => {
  if (v.is(hashField, value)) return value;
  throw new StartError(`${name} must be a SHA-256 in base64url, 43 characters.`);
};

/** An API token begins with `ak-`: it could open a shell in a container, and has no place here. */
export const proxyToken: Parse<string> = (value, name) => {
  if (/^wk-[A-Za-z0-9]{1,128}\.ws-[A-Za-z0-9]{1,128}$/.test(value)) return value;
  throw new StartError(`${name} is not a proxy token: it reads wk-….ws-…, both halves joined by a dot.`);
};

export const headerName: Parse<string> = (value, name) => {
  if (/^[A-Za-z0-9-]{1,64}$/.test(value)) return value.toLowerCase();
  throw new StartError(`${name} is not the name of a header.`);
};

export const networks: Parse<readonly string[]> = (value, name) => {
  const all = value.split(',').map((each) => each.trim());
  if (all.every((each) => isNetwork(each))) return all;
  throw new StartError(
    `${name} holds something that is no address: write 10.0.0.1 or 10.0.0.0/8, separated by commas.`,
  );
};

/** A C2SP checkpoint and the client's policy both take this form. */
export const logOrigin: Parse<string> = (value, name) => {
  if (/^[!-*,-~]{1,128}$/.test(value)) return value;
  throw new StartError(
    `${name} must be the name of the log, as registrar.example.com/log-1: no blanks, no plus, 128 characters at most.`,
  );
};

/** Ids as Modal's identity tokens have them, one or several. */
export function modalIds(example: string): Parse<readonly string[]> {
  return (value, name) => {
    const ids = value.split(',').map((id) => id.trim());
    if (ids.length <= 32 && ids.every((id) => /^[!-+\--~]{1,128}$/.test(id))) return ids;
    throw new StartError(`${name} must name what may be registered, as ${example}; several with commas between them.`);
  };
}

/** Without the empty ones. */
function listOf(value: string): string[] {
  return value.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
}
