/** Every setting of worker and relay that begins as ours do; a relay's own may be set in a shared environment. */
const knownNames = [
  'ENCLAVE_POOL',
  'ENCLAVE_URLS',
  'ENCLAVE_TOKEN',
  'LLM_BASE_URL',
  'LLM_API_KEY',
  'LLM_MODEL',
  'LLM_WEIGHTS_FOLDER',
  'LLM_WEIGHTS_MANIFEST',
  'ENCLAVE_CERTIFICATES',
  'EVIDENCE',
  'EVIDENCE_GPU',
  'EVIDENCE_GPU_TOOL',
] as const;

/** @returns a sentence on the first name that begins like a setting and is none, or null. */
export function complainOfUnknownName(environment: NodeJS.ProcessEnv): string | null {
  for (const name of Object.keys(environment)) {
    if (!/^(ENCLAVE_|LLM_|EVIDENCE)/.test(name) || (knownNames as readonly string[]).includes(name)) continue;
    const nearest = knownNames.toSorted((a, b) => editDistance(name, a) - editDistance(name, b))[0];
    return `There is no setting ${name}; did you mean ${nearest}?`;
  }
  return null;
}

/** Levenshtein: how many letters to add, drop or change. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
