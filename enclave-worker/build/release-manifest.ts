import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { type Release, releaseEntry } from '../../crypto/evidence/policy/policy.ts';
import { countField, hashField } from '../../crypto/protocol/messages/fields.ts';

export const workerFileName = 'worker.mjs';
export const releaseFileName = 'release.json';
export const distFolder = resolve(import.meta.dirname, '../dist');

/** A release of the worker is this: the one file, and the Node that it was built for and with. */
export const releaseManifest = v.strictObject({
  format: v.literal(1),
  version: releaseEntry.entries.version,
  /** The commit of the sources, where the builder said so. */
  commit: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/))),
  node: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/)),
  /** SHA-256 of the worker's file, as policies name it. */
  imageDigest: hashField,
  files: v.pipe(
    v.array(
      v.strictObject({
        path: v.pipe(v.string(), v.regex(/^[a-z0-9.-]{1,64}$/)),
        length: countField(),
        /** Hex, as `sha256sum` prints it. */
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      }),
    ),
    v.length(1),
  ),
});
export type ReleaseManifest = v.InferOutput<typeof releaseManifest>;

export function describeRelease(worker: Uint8Array, commit: string | null): ReleaseManifest {
  const digest = createHash('sha256').update(worker).digest();
  return v.parse(releaseManifest, {
    format: 1,
    version: readVersion(),
    commit,
    node: process.versions.node,
    imageDigest: digest.toString('base64url'),
    files: [{ path: workerFileName, length: worker.length, sha256: digest.toString('hex') }],
  });
}

/** @throws where nothing was built, or the file is not the one that the manifest describes. */
export function readRelease(folder: string = distFolder): ReleaseManifest {
  const manifest = v.parse(releaseManifest, JSON.parse(readFileSync(join(folder, releaseFileName), 'utf8')));
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, workerFileName)))
    .digest('base64url');
  if (digest !== manifest.imageDigest) throw new Error('The worker is not the one that its manifest describes.');
  return manifest;
}

/** An entry for `releases` of a policy: this file, and what each machine measures when it runs it. */
export function releaseEntryOf(manifest: ReleaseManifest, machines: Pick<Release, 'url' | 'sevSnp' | 'tdx'>): Release {
  return v.parse(releaseEntry, { version: manifest.version, ...machines, imageDigest: manifest.imageDigest });
}

function readVersion(): unknown {
  const file: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? file.version : undefined;
}
