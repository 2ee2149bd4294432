import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import * as v from 'valibot';

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
};

/** For builders, not for browsers. */
const unserved = new Set(['/build.json', '/manifest.json']);

/** Where the client has pages: each is index.html, which finds out itself which one (client/page/state/router.ts). */
const clientPages = /^\/(?:create-account|sign-in|recover|unlock|new-password|chat(?:\/[A-Za-z0-9_-]{22})?)?\/*$/;

export function isClientPage(path: string): boolean {
  return clientPages.test(path);
}

type StaticFile = {
  readonly type: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly encoded: Readonly<Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>>>;
};

/**
 * The built client, read into memory once: a request's path is looked up among the names that are there and never becomes a
 * path of the file system.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;
  /** The build's name, for /v1/version; null when there is no build. */
  readonly build: string | null;

  constructor(folder: string) {
    this.#files = existsSync(folder) ? readFolder(folder) : new Map();
    this.build = readBuildName(join(folder, 'build.json'));
  }

  get isBuilt(): boolean {
    return this.#files.has('/index.html');
  }

  /**
   * @param path - The path in the URL, undecoded: no file of ours has a name that needs encoding.
   * @returns null when there is no such file.
   */
  answer(path: string, request: Request): Response | null {
    const file = this.#files.get(path);
    if (file === undefined) return null;
    const headers: Record<string, string> = {
      'Content-Type': file.type,
      'Cache-Control': file.cacheControl,
      ETag: file.etag,
      Vary: 'Accept-Encoding',
    };
    if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers });
    const accepted = request.headers.get('accept-encoding') ?? '';
    const encoding = (['br', 'gzip'] as const).find(
      (candidate) => file.encoded[candidate] !== undefined && acceptsEncoding(accepted, candidate),
    );
    if (encoding !== undefined) headers['Content-Encoding'] = encoding;
    const body = (encoding === undefined ? undefined : file.encoded[encoding]) ?? file.plain;
    headers['Content-Length'] = String(body.length);
    return new Response(request.method === 'HEAD' ? null : body, { headers });
  }
}

function readFolder(folder: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    const type = mediaTypes[extname(file)];
    if (type === undefined || unserved.has(path)) continue;
    const plain = new Uint8Array(readFileSync(file));
    files.set(path, {
      type,
      // The build puts a hash of the contents into these names.
      cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
      plain,
      encoded: { ...readEncoded(file, '.br', 'br'), ...readEncoded(file, '.gz', 'gzip') },
    });
  }
  return files;
}

function readEncoded(file: string, ending: string, encoding: 'br' | 'gzip'): StaticFile['encoded'] {
  return existsSync(file + ending) ? { [encoding]: new Uint8Array(readFileSync(file + ending)) } : {};
}

function acceptsEncoding(header: string, encoding: string): boolean {
  return header.split(',').some((part) => {
    const [name, quality] = part.trim().split(/\s*;\s*q=/);
    return name === encoding && (quality === undefined || Number(quality) > 0);
  });
}

function readBuildName(file: string): string | null {
  if (!existsSync(file)) return null;
  const schema = v.pipe(v.string(), v.parseJson(), v.object({ build: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/)) }));
  const parsed = v.safeParse(schema, readFileSync(file, 'utf8'));
  return parsed.success ? parsed.output.build : null;
}
