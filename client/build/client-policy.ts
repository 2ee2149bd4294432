import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { type EnclavePolicy, enclavePolicy } from '../../crypto/evidence/policy/policy.ts';
import { readOne } from '../../process/settings/read-values.ts';
import { complainOfUnknownNames } from '../../process/settings/unknown-names.ts';

const ownPolicyPath = join(import.meta.dirname, '..', 'policy.json');

/**
 * Reads what the client that is built now will accept as an enclave: the file that CLIENT_POLICY names, else
 * client/policy.json.
 * It becomes part of the client and of its build name; no relay can change it afterwards.
 *
 * @throws {Error} with one sentence that a person can act on.
 */
export function readClientPolicy(named: string | null = policyOfSettings()): EnclavePolicy {
  const path = named === null || named === '' ? ownPolicyPath : resolve(named);
  const parsed = v.safeParse(enclavePolicy, readJson(path));
  if (!parsed.success) throw new Error(complaint(path, parsed.issues));
  for (const kind of parsed.output.allowedKinds) {
    const section = sectionOf(parsed.output, kind);
    if (section === null) {
      throw new Error(
        `The client's policy ${path} allows the kind "${kind}" and says nothing about it: give "${sectionNames[kind]}" a value, or take the kind out of "allowedKinds".`,
      );
    }
  }
  return parsed.output;
}

/** A slip in the name must not build a client that accepts more. */
function policyOfSettings(): string | null {
  complainOfUnknownNames('build', process.env);
  return readOne('CLIENT_POLICY', process.env);
}

type Kind = EnclavePolicy['allowedKinds'][number];
const sectionNames: Record<Kind, string> = { development: '', modal: 'modal', 'sev-snp': 'sevSnp', tdx: 'tdx' };

function sectionOf(policy: EnclavePolicy, kind: Kind): unknown {
  switch (kind) {
    case 'development':
      return policy.allowedKinds;
    case 'modal':
      return policy.modal;
    case 'sev-snp':
      return policy.sevSnp;
    case 'tdx':
      return policy.tdx;
  }
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Error(`The client's policy ${path} cannot be read: name a file with CLIENT_POLICY, or leave it unset.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`The client's policy ${path} is not JSON.`);
  }
}

function complaint(path: string, issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const [issue] = issues;
  const place = v.getDotPath(issue) ?? '';
  if (place === '') return `The client's policy ${path} has to be a JSON object.`;
  if (issue.expected === 'never') return `The client's policy ${path} has a field "${place}" that no policy has.`;
  const isMissing = issue.received === 'undefined';
  return isMissing
    ? `The client's policy ${path} lacks the field "${place}": a missing field never means "anything".`
    : `The client's policy ${path} has a value in "${place}" that does not fit there.`;
}
