import type { CheckCode, DetailCode, VerificationStep } from '../../../vault/api/vault-api.ts';
import { isText, type TextId, say } from '../say.ts';

/* Words for what a verifier found: it gives codes and values alone, and so does what is stored of them. */

/** One line of the checklist: what was checked, and what it came to. */
export function stepText(step: VerificationStep): { readonly name: string; readonly detail: string } {
  // A document of an earlier build holds the words that it showed.
  if ('name' in step) return step;
  const { check, detail, values } = step;
  return {
    name: isText(`check.${check}`) ? say(`check.${check as CheckCode}`) : say('step.later-check', { code: check }),
    detail: isText(`detail.${detail}`)
      ? detailText(detail as DetailCode, values)
      : say('step.later-detail', { code: detail }),
  };
}

type Given = Readonly<Record<string, string | number | null | readonly string[]>>;

/** The reader of documents checked that the values are those of the code. */
function detailText(code: DetailCode, given: Given): string {
  const id: TextId = `detail.${code}`;
  // A union of all texts with values has no type of its own for them.
  return (say as (id: TextId, values: object) => string)(id, { ...given, versions: versionsText(given) });
}

function versionsText({ versions, firmware, ...components }: Given): string {
  if (Array.isArray(versions)) return versions.map(gpuVersionText).join('; ');
  if (firmware === undefined) return '';
  const given = components as Readonly<Record<'bootLoader' | 'tee' | 'snp' | 'microcode', number>>;
  return firmware === null
    ? say('versions.amd', given)
    : say('versions.amd-with-fmc', { ...given, firmware: Number(firmware) });
}

function gpuVersionText(pair: string): string {
  const [driver = '', vbios = ''] = pair.split(' ');
  return say('versions.gpu', { driver, vbios });
}
