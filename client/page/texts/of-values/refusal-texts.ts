import type { RefusedEnclave } from '../../../vault/api/vault-api.ts';
import { say } from '../say.ts';

type RefusalText = {
  /** The failed part, as the end of a sentence that says that nothing is sent. */
  readonly what: string;
  /** The advice tells what a person can do. */
  readonly advice: string;
};

/** Texts of ours: what the evidence itself says is in the checks, never here. */
export function refusalText({ code }: Pick<RefusedEnclave, 'code'>): RefusalText {
  return { what: say(`refusal.${code}`), advice: say(`refusal.${code}.do`) };
}
