import type { Question } from '../engine/engine.ts';
import type { Extension } from './refusals/extensions.ts';

/** The body of a request for a streamed chat completion, with the extensions that its server takes. */
export function chatBody(model: string, question: Question, sent: readonly Extension[]): object {
  const { temperature, topP, maximumTokens, reasoning } = question.parameters;
  const takes = (extension: Extension) => sent.includes(extension);
  const messages = takes('system_role') ? question.messages : withoutSystem(question.messages);
  return {
    model,
    messages: messages.map(({ role, text }) => ({ role, content: text })),
    stream: takes('stream'),
    ...(takes('stream_options') && takes('stream') ? { stream_options: { include_usage: true } } : {}),
    ...(takes('temperature') ? { temperature } : {}),
    ...(takes('top_p') ? { top_p: topP } : {}),
    // The newer name for the same limit.
    ...(maximumTokens === undefined
      ? {}
      : { [takes('max_tokens') ? 'max_tokens' : 'max_completion_tokens']: maximumTokens }),
    // Closes the timing channel of a prefix cache that conversations share.
    ...(takes('cache_salt') ? { cache_salt: question.cacheSalt } : {}),
    ...(takes('chat_template_kwargs') ? { chat_template_kwargs: { enable_thinking: reasoning } } : {}),
  };
}

/** True if a question has anything that this extension would be sent for. */
export function isWanted(extension: Extension, { messages, parameters }: Question): boolean {
  switch (extension) {
    case 'max_tokens':
      return parameters.maximumTokens !== undefined;
    case 'chat_template_kwargs':
      return parameters.reasoning !== undefined;
    case 'temperature':
      return parameters.temperature !== undefined;
    case 'top_p':
      return parameters.topP !== undefined;
    case 'system_role':
      return messages.some(({ role }) => role === 'system');
    default:
      return true;
  }
}

/** For a template that knows no system: its words stand before the first question. */
function withoutSystem(messages: Question['messages']): Question['messages'] {
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => text);
  const others = messages.filter(({ role }) => role !== 'system');
  const first = others.findIndex(({ role }) => role === 'user');
  if (system.length === 0 || first === -1) return others;
  return others.map((message, index) =>
    index === first ? { ...message, text: [...system, message.text].join('\n\n') } : message,
  );
}
