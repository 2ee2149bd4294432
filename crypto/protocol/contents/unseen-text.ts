/** Blanks, controls, marks of direction and joining, and letters that show nothing. */
const unseen = /[\s\p{Cc}\p{Cf}\p{Zs}\u115F\u1160\u2800\u3164\uFFA0]|\p{Variation_Selector}|\u034F|\u17B4|\u17B5/gu;

/** True if there is nothing in it that anybody could see. */
export function isUnseen(text: string): boolean {
  return text.replaceAll(unseen, '') === '';
}

const turning = /[\u202A-\u202E\u2066-\u2069]/g;

/** Without marks that turn the direction of writing: in a title they show another name than there is. */
export function withoutTurning(text: string): string {
  return text.replaceAll(turning, '');
}

const ordering = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Code without any mark that moves signs: one line of it reads another way than it runs (CVE-2021-42574). */
export function inWrittenOrder(code: string): string {
  return code.replaceAll(ordering, '');
}
