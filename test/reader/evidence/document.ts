import { readCanonicalJson, writeCanonicalJson, type JsonObject } from '../protocol/canonical-json.ts';
import { decodeBase64url, encodeBase64url, lp, sha256, utf8 } from '../protocol/conventions.ts';
import * as json from '../protocol/json-schema.ts';
import { refuse } from '../protocol/refusal.ts';
import { evidenceDigest, verifyDevelopment } from './statement.ts';
import { isCodedStep, isKnownStep, isWordedStep } from './step-codes.ts';

const longestDocument = 8_388_608;
const isAnything: json.Check = (value) => value !== undefined;
const isLevel = json.isOneOf('any', 'stated', 'hardware', 'hardware-gpu');

function resultSchema(isStep: json.Check, more: Readonly<Record<string, json.Check>>): json.Check {
  const steps = json.isListOf(0, 256, isStep);
  const refused = json.isObject({ ...more, code: json.isText(1, 64), refused: json.isOneOf(true), steps });
  const accepted = json.isObject({
    ...more,
    kind: json.isOneOf('development', 'modal', 'sev-snp', 'tdx'),
    level: isLevel,
    measurement: json.isNullOr(json.isText(0, 1024)),
    model: json.isModel,
    refused: json.isOneOf(false),
    release: json.isNullOr(json.isText(0, 1024)),
    steps,
  });
  return json.isAnyOf(refused, accepted);
}

function documentSchema(format: string, result: json.Check): json.Check {
  return json.isObject({
    digest: json.isHash,
    enclaves: json.isListOf(1, 2, json.isObject({ answer: json.isJsonObject, result })),
    evidenceDigest: json.isNullOr(json.isHash),
    format: json.isOneOf(format),
    minimum: isLevel,
    model: json.isModel,
    nonce: json.isHash,
    policy: isAnything,
    verifiedAtMs: json.isTimeMs,
  });
}

const anyDocument = json.isAnyOf(
  documentSchema('sotto-verification-2', resultSchema(isCodedStep, {})),
  documentSchema('sotto-verification-1', resultSchema(isWordedStep, { sentence: json.isText(0, 1024) })),
);

/** SPEC.md §9.10, form and digest. */
export function readDocument(text: string): JsonObject {
  const value = readCanonicalJson(utf8(text), longestDocument);
  const format = json.isJsonObject(value) ? (value as JsonObject)['format'] : undefined;
  const [, number] = /^sotto-verification-([1-9]\d{0,5})$/.exec(typeof format === 'string' ? format : '') ?? [];
  if (Number(number) > 2) refuse('unsupported-version');
  const document = json.readObject(value, anyDocument);
  const { digest, ...rest } = document;
  const counted = encodeBase64url(sha256(lp('sotto/v1/verification', writeCanonicalJson(rest))));
  return counted === digest ? document : refuse('malformed');
}

/** True if a document of one development enclave holds for a reader who accepts those and asks for no more. */
export function doesDevelopmentHold(document: JsonObject): boolean {
  const [enclave] = document['enclaves'] as JsonObject[];
  const { answer, result } = enclave as { answer: JsonObject; result: JsonObject };
  const read = (name: string) => decodeBase64url(answer[name] as string);
  const [statement, signature] = [read('statement'), read('signature')];
  const publicKeys = (answer['publicKeys'] as string[]).map(decodeBase64url);
  const evidence = answer['evidence'] ?? null;
  const value = verifyDevelopment(
    { evidence, statement, signature, publicKeys },
    decodeBase64url(document['nonce'] as string),
    document['model'] as string,
  );
  const digest = encodeBase64url(evidenceDigest(evidence, statement, signature));
  return (
    document['minimum'] === 'any' &&
    document['evidenceDigest'] === digest &&
    result['refused'] === false &&
    (document['format'] === 'sotto-verification-1' || (result['steps'] as JsonObject[]).every(isKnownStep)) &&
    result['level'] === 'any' &&
    result['model'] === value['model']
  );
}

const fixedSentences: Readonly<Record<string, JsonObject>> = {
  'No protection from whoever runs this machine.': { kind: 'development', level: 'any', release: null },
  'The operator of this service states that the model runs on Modal. The operator and Modal could read your messages.':
    {
      kind: 'modal',
      level: 'stated',
      release: null,
    },
};

/** SPEC.md §5.1: what a protection sentence stands for, or null. */
export function readProtectionSentence(sentence: string): JsonObject | null {
  const fixed = Object.hasOwn(fixedSentences, sentence) ? fixedSentences[sentence] : undefined;
  if (fixed !== undefined) return fixed;
  const words = sentence.split(' ');
  const release = words[6] ?? '';
  if (!/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(release)) return null;
  for (const [vendor, kind] of [
    ['AMD', 'sev-snp'],
    ['Intel', 'tdx'],
  ] as const) {
    const start = `${vendor} hardware signed that measured software ${release} runs here, and ${release} is in the release list`;
    if (sentence === `${start}.`) return { kind, level: 'hardware', release };
    const isWithGpu = sentence === `${start}, and the GPU is genuine, in confidential mode.`;
    if (isWithGpu) return { kind, level: 'hardware-gpu', release };
  }
  return null;
}
