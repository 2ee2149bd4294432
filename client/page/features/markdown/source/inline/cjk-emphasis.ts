import { attention } from 'micromark-core-commonmark';
import { classifyCharacter } from 'micromark-util-classify-character';
import type { Code, Effects, Extension, Resolver, State, TokenizeContext } from 'micromark-util-types';

const asterisk = 42;
const tilde = 126;
const slash = 47;
const dot = 46;
const whitespace = 1;
const punctuation = 2;

/**
 * Stars as models mean them. CommonMark decides by spaces and punctuation around them. Chinese, Japanese, Korean and Thai put no spaces:
 * `**“bold”**文字` would keep its stars (the rule of markdown-cjk-friendly), and so would `**Note:**text`. Between letters and figures
 * stars are an operator: `2*3*4` and `x**2 + y**2` would lose them.
 */
export const cjkEmphasis: Extension = {
  text: {
    [asterisk]: { name: 'attention', tokenize, ...resolver() },
    [tilde]: { name: 'strikethrough', tokenize: tokenizeTildes, resolveAll: resolveTildes },
  },
};

function resolver(): Pick<typeof attention, 'resolveAll'> {
  return attention.resolveAll === undefined ? {} : { resolveAll: attention.resolveAll };
}

function tokenize(this: TokenizeContext, effects: Effects, ok: State): State {
  const { previous } = this;
  return (code) => {
    const token = effects.enter('attentionSequence');
    let size = 0;
    return inside(code);

    function inside(next: Code): State | undefined {
      if (next === asterisk) {
        effects.consume(next);
        size += 1;
        return inside;
      }
      effects.exit('attentionSequence');
      const isOwn = isPattern(previous, next, size);
      token._open =
        (touches(next, previous) || (size === 2 && isOneOf(next, opening))) &&
        !isOperator(previous, next, size) &&
        !isOwn;
      token._close =
        (touches(previous, next) || (size === 2 && isOneOf(previous, closing) && !isCall(previous, next))) && !isOwn;
      return ok(next);
    }
  };
}

/** Two tildes, decided like stars; pairs are found as in GitHub's own rule. */
function tokenizeTildes(this: TokenizeContext, effects: Effects, ok: State, nok: State): State {
  const { previous } = this;
  let size = 0;
  return (code) => {
    if (previous === tilde && this.events.at(-1)?.[1].type !== 'characterEscape') return nok(code);
    const token = effects.enter('strikethroughSequenceTemporary');
    return inside(code);

    function inside(next: Code): State | undefined {
      if (next === tilde && size < 2) {
        effects.consume(next);
        size += 1;
        return inside;
      }
      if (next === tilde || size < 2) return nok(next);
      effects.exit('strikethroughSequenceTemporary');
      token._open = touches(next, previous);
      token._close = touches(previous, next);
      return ok(next);
    }
  };
}

function resolveTildes(...[events, context]: Parameters<Resolver>): ReturnType<Resolver> {
  const resolvers = context.parser.constructs.insideSpan.null ?? [];
  const known = resolvers.find((each) => 'name' in each && each.name === 'strikethrough');
  return known?.resolveAll?.(events, context) ?? events;
}

/** True where stars between the two characters belong to the first. */
function touches(near: Code, far: Code): boolean {
  const kind = classifyCharacter(near);
  if (kind === undefined) return true;
  if (kind !== punctuation) return false;
  return isCjk(near) || classifyCharacter(far) !== undefined || isCjk(far);
}

/** Signs that open what is said, and those that end it. */
const opening = '"“‘«„‹';
const closing = '.,:;!?%)]}"”’»›…،؛؟।॥۔';

function isOneOf(code: Code, signs: string): boolean {
  return code !== null && code > 0 && signs.includes(String.fromCodePoint(code));
}

function isFigure(code: Code): boolean {
  return code !== null && code >= 48 && code <= 57;
}

/** A letter or a figure of a formula. */
function isOperand(code: Code): boolean {
  return isFigure(code) || (code !== null && ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)));
}

/** `f(x)**2`: the brackets end no bold words. */
function isCall(previous: Code, next: Code): boolean {
  return isOneOf(previous, ')]') && isFigure(next);
}

/** Stars of a pattern, of `count(*)`, of a comment in C or of a number that is hidden in part. */
function isPattern(previous: Code, next: Code, size: number): boolean {
  if (isOneOf(previous, '([{') && isOneOf(next, ')]}')) return true;
  if (previous === slash && isOneOf(next, '/.')) return true;
  if (size === 1 && previous === slash && classifyCharacter(next) === whitespace) return true;
  if (size === 1 && previous === dot && (isOperand(next) || isOneOf(next, '?+$^\\(['))) return true;
  return size > 2 && isOperand(previous) && isOperand(next);
}

function isOperator(previous: Code, next: Code, size: number): boolean {
  const isBetween = (isOperand(previous) || isOneOf(previous, ')]')) && (isOperand(next) || isOneOf(next, '(['));
  return isBetween && (size === 1 || (size === 2 && (isFigure(previous) || isFigure(next) || isOneOf(previous, ')]'))));
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
