import { type MessagePart, type RequestContent, usesOf } from '../../crypto/protocol/contents/request-content.ts';
import type { Engine, Question } from '../engines/engine/engine.ts';

/**
 * The words of a request of either format (SPEC.md §7.3), as an engine is asked them.
 *
 * @returns null for a request that uses what the engine does not name: no client that read its statement writes one.
 */
export function readQuestion(content: RequestContent, accepts: Engine['accepts']): Question | null {
  if (content.format === 1) return content;
  if (usesOf(content).some((name) => !accepts.includes(name)) || content.kind === 'embed') return null;
  const { system, messages, parameters, cacheSalt } = content;
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, text: system }]),
      ...messages.map(({ role, parts }) => ({ role, text: parts.map(wordsOf).join('\n\n') })),
    ],
    parameters,
    cacheSalt,
  };
}

function wordsOf(part: MessagePart): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'passage':
      return passageWords(part);
    case 'image':
      // Engines that take images are asked in another way.
      return '';
  }
}

/**
 * A passage with its source around it, so that the model can tell documents from the person's own words. Words that would end
 * the passage get a tag with the file's id, which is random: who wrote the document cannot have known it.
 */
function passageWords({ text, source }: Extract<MessagePart, { kind: 'passage' }>): string {
  const page = source.page === null ? '' : ` page="${source.page}"`;
  const tag = /<\s*\/\s*document/i.test(text) ? `document-${source.fileId}` : 'document';
  return `<${tag} name=${JSON.stringify(source.name)}${page}>\n${text}\n</${tag}>`;
}
