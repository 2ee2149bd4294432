import { attention } from 'micromark-core-commonmark';
import { classifyCharacter } from 'micromark-util-classify-character';
import type { Code, Effects, Extension, State, TokenizeContext } from 'micromark-util-types';

const asterisk = 42;
const punctuation = 2;

/**
 * Emphasis beside Chinese, Japanese and Korean characters. CommonMark decides by spaces and punctuation around the stars, and these
 * scripts put no spaces: `**“bold”**文字` would keep its stars (the rule of markdown-cjk-friendly).
 */
export const cjkEmphasis: Extension = {
  text: { [asterisk]: { name: 'attention', tokenize, ...resolver() } },
};

function resolver(): Pick<typeof attention, 'resolveAll'> {
  return attention.resolveAll === undefined ? {} : { resolveAll: attention.resolveAll };
}

function tokenize(this: TokenizeContext, effects: Effects, ok: State): State {
  const { previous } = this;
  return (code) => {
    const token = effects.enter('attentionSequence');
    return inside(code);

    function inside(next: Code): State | undefined {
      if (next === asterisk) {
        effects.consume(next);
        return inside;
      }
      effects.exit('attentionSequence');
      token._open = touches(next, previous);
      token._close = touches(previous, next);
      return ok(next);
    }
  };
}

/** Whether stars between the two characters belong to the first. */
function touches(near: Code, far: Code): boolean {
  const kind = classifyCharacter(near);
  if (kind === undefined) return true;
  if (kind !== punctuation) return false;
  return isCjk(near) || classifyCharacter(far) !== undefined || isCjk(far);
}

function isCjk(code: Code): boolean {
  if (code === null || code < 0x1100) return false;
  return (
    code <= 0x11ff ||
    (code >= 0x2e80 && code <= 0x9fff) ||
    (code >= 0xa960 && code <= 0xa97f) ||
    (code >= 0xac00 && code <= 0xd7ff) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe4f) ||
    (code >= 0xff00 && code <= 0xffef)
  );
}
