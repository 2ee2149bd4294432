import * as v from 'valibot';
import type { Keyring } from '../account/keyring.ts';
import { idField } from '../protocol/messages/fields.ts';
import {
  conversationContent,
  type ItemContent,
  messageContent,
  preferenceContent,
  replyContent,
  replyNoteContent,
  settingsContent,
  verificationContent,
} from '../protocol/contents/item-contents.ts';
import { type Bytes, concat, decodeUtf8, encodeUtf8 } from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { maximumContentLength } from '../protocol/bytes/size-class.ts';
import { type ItemPlace, openItem, sealedItemLength, sealItem } from './item.ts';

const typeName = /^[a-z][a-z0-9-]{0,31}$/;

/** Behind the type comes the JSON of the other fields: the type says how what follows is read, and comes first. */
const restSchemas = {
  conversation: v.omit(conversationContent, ['type']),
  message: v.omit(messageContent, ['type']),
  preference: v.omit(preferenceContent, ['type']),
  reply: v.omit(replyContent, ['type']),
  'reply-note': v.omit(replyNoteContent, ['type']),
  settings: v.omit(settingsContent, ['type']),
  verification: v.omit(verificationContent, ['type']),
} as const satisfies Record<ItemContent['type'], v.GenericSchema>;

/**
 * Tells what can be told of a content whose form this build does not know, though the account wrote it. It is not shown, and
 * neither absent nor deleted (SPEC.md §5.1).
 */
export type UnreadableContent = {
  readonly type: 'unreadable';
  /** The type; null where even that cannot be told. */
  readonly of: ItemContent['type'] | null;
  /** Where it names one. */
  readonly conversationId: string | null;
};

/** @returns `length (1) || type || canonical JSON of the fields but type` (SPEC.md §5.1). */
export function encodeItemContent(content: ItemContent): Bytes {
  const bytes = writeContent(content);
  // A content that would not be read back is never written.
  decodeItemContent(bytes);
  return bytes;
}

function writeContent({ type, ...rest }: ItemContent): Bytes {
  const name = encodeUtf8(type);
  return concat(Uint8Array.of(name.length), name, encodeCanonicalJson(rest));
}

/** How long a body `sealContent` makes of a content. @throws {CryptoError} `too-long`. */
export function sealedContentLength(content: ItemContent): number {
  return sealedItemLength(writeContent(content).length);
}

/**
 * @returns null for a type that this build does not know: a newer device of the account wrote it.
 * @throws {CryptoError} `malformed`.
 */
export function decodeItemContent(bytes: Uint8Array): ItemContent | null {
  const end = 1 + (bytes[0] ?? 0);
  if (bytes.length < end) throw new CryptoError('malformed');
  const type = decodeUtf8(bytes.subarray(1, end));
  if (!typeName.test(type)) throw new CryptoError('malformed');
  const json = bytes.subarray(end);
  switch (type) {
    case 'conversation':
      return { type, ...decodeCanonicalJson(json, restSchemas.conversation, maximumContentLength) };
    case 'message':
      return { type, ...decodeCanonicalJson(json, restSchemas.message, maximumContentLength) };
    case 'preference':
      return { type, ...decodeCanonicalJson(json, restSchemas.preference, maximumContentLength) };
    case 'reply':
      return { type, ...decodeCanonicalJson(json, restSchemas.reply, maximumContentLength) };
    case 'reply-note':
      return { type, ...decodeCanonicalJson(json, restSchemas[type], maximumContentLength) };
    case 'settings':
      return { type, ...decodeCanonicalJson(json, restSchemas.settings, maximumContentLength) };
    case 'verification':
      return { type, ...decodeCanonicalJson(json, restSchemas.verification, maximumContentLength) };
    default:
      return null;
  }
}

/** Seals a typed content (SPEC.md §5). @throws {CryptoError} as `sealItem`, and `malformed` for what its schema refuses. */
export function sealContent(input: ItemPlace & { readonly keyring: Keyring; readonly content: ItemContent }): Bytes {
  return sealItem({ ...input, content: encodeItemContent(input.content) });
}

/**
 * Opens a typed content.
 *
 * @returns null for a type that this build does not know.
 * @throws {CryptoError} as `openItem`, and `malformed` for what its schema refuses.
 */
export function openContent(
  input: ItemPlace & { readonly keyring: Keyring; readonly body: Uint8Array },
): ItemContent | null {
  return decodeItemContent(openItem(input));
}

const unreadableCodes: ReadonlySet<string> = new Set([
  'malformed',
  'unsupported-version',
  'unsupported-suite',
  'unknown-key',
]);

/**
 * Works as `openContent`, for a device that goes on beside newer ones: a content that it cannot read is described, not refused.
 *
 * @returns null for a type that this build does not know.
 * @throws {CryptoError} `open-failed` for what the account did not seal for this place.
 */
export function openContentOrDescribe(
  input: ItemPlace & { readonly keyring: Keyring; readonly body: Uint8Array },
): ItemContent | UnreadableContent | null {
  let bytes: Bytes | null = null;
  try {
    bytes = openItem(input);
    return decodeItemContent(bytes);
  } catch (error) {
    if (error instanceof CryptoError && unreadableCodes.has(error.code)) return describeContent(bytes);
    throw error;
  }
}

/** @param bytes - null where they are sealed in a way that this build does not know. */
function describeContent(bytes: Uint8Array | null): UnreadableContent {
  const end = 1 + (bytes?.[0] ?? 0);
  const type = new TextDecoder().decode(bytes?.subarray(1, end));
  return {
    type: 'unreadable',
    of: isKnownType(type) ? type : null,
    conversationId: conversationNamed(new TextDecoder().decode(bytes?.subarray(end))),
  };
}

function isKnownType(type: string): type is ItemContent['type'] {
  return Object.hasOwn(restSchemas, type);
}

function conversationNamed(json: string): string | null {
  try {
    const parsed = v.safeParse(v.object({ conversationId: idField }), JSON.parse(json));
    return parsed.success ? parsed.output.conversationId : null;
  } catch {
    return null;
  }
}
