import { readFileSync } from 'node:fs';
import type { JsonObject } from '../protocol/canonical-json.ts';
import * as json from '../protocol/json-schema.ts';

/* SPEC.md §9.11: the list of details is long and grows, so it is read from the page itself. */

const isMeasure: Readonly<Record<string, json.Check>> = {
  text: json.isText(0, 1024),
  count: json.isCount,
  'count or null': json.isNullOr(json.isCount),
  hash: json.isHash,
  model: json.isModel,
  kind: json.isOneOf('development', 'modal', 'sev-snp', 'tdx'),
  'list of 1 to 16 texts': json.isListOf(1, 16, json.isText(0, 1024)),
};

/** `` `a`, `b` text; `c` count `` as the members of an object. */
function readValues(cell: string): json.Check {
  const members: Record<string, json.Check> = {};
  for (const part of cell.split('; ').filter((each) => each !== '')) {
    const measure = isMeasure[part.slice(part.lastIndexOf('`') + 1).trim()];
    if (measure === undefined) throw new Error(`SPEC.md §9.11 says of values: ${part}`);
    for (const [, name = ''] of part.matchAll(/`([A-Za-z]+)`/g)) members[name] = measure;
  }
  return json.isObject(members);
}

/** The values of each detail. */
export function readDetails(specification: string): ReadonlyMap<string, json.Check> {
  const start = specification.indexOf('\n| detail | values | |');
  const table = specification.slice(start, specification.indexOf('\n\n', start));
  return new Map(
    [...table.matchAll(/^\| `([a-z0-9-]+)` \| ([^|]*) \|/gm)].map(([, code = '', cell = '']) => [
      code,
      readValues(cell.trim()),
    ]),
  );
}

const details = readDetails(readFileSync(new URL('../../../crypto/SPEC.md', import.meta.url), 'utf8'));
const isWord = (form: RegExp, value: unknown): boolean => typeof value === 'string' && form.test(value);
const isCode: json.Check = (value) => isWord(/^[a-z][a-z0-9-]{0,63}$/, value);
const isAnyValue: json.Check = (value) =>
  value === null ||
  json.isCount(value) ||
  json.isText(0, 1024)(value) ||
  json.isListOf(0, 16, json.isText(0, 1024))(value);
const areValues: json.Check = (value) =>
  json.isJsonObject(value) &&
  Object.keys(value).length <= 8 &&
  Object.entries(value).every(([name, each]) => isWord(/^[a-z][A-Za-z0-9]{0,31}$/, name) && isAnyValue(each));

const isStepForm = json.isObject({
  check: isCode,
  detail: isCode,
  result: json.isOneOf('enforced', 'failed', 'not-offered'),
  values: areValues,
});

/** A step of format 2. */
export const isCodedStep: json.Check = (value) => {
  if (!isStepForm(value)) return false;
  const { detail, values } = value as JsonObject;
  return details.get(detail as string)?.(values) ?? true;
};

/** True if a verifier of this page could have made it. */
export function isKnownStep(step: JsonObject): boolean {
  return typeof step['detail'] === 'string' && details.has(step['detail']);
}

/** A step of format 1. */
export const isWordedStep = json.isObject({
  detail: json.isText(0, 1024),
  name: json.isText(0, 1024),
  result: json.isOneOf('enforced', 'failed', 'not-offered'),
});
