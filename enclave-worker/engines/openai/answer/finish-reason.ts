export type FinishMeaning = 'stop' | 'length' | 'content-refused' | 'server-failed';

const lengths: ReadonlySet<string> = new Set([
  'error_limit',
  'length',
  'max_completion_tokens',
  'max_length',
  'max_new_tokens',
  'max_output_reached',
  'max_output_tokens',
  'max_tokens',
  'model_context_window_exceeded',
  'model_length',
  'token_limit',
]);
const filters: ReadonlySet<string> = new Set([
  'blocklist',
  'content_filter',
  'content_filtered',
  'error_toxic',
  'guardrail_intervened',
  'prohibited_content',
  'recitation',
  'refusal',
  'safety',
  'sensitive',
  'spii',
]);
const faults: ReadonlySet<string> = new Set([
  'abort',
  'aborted',
  'canceled',
  'cancelled',
  'error',
  'failed',
  'insufficient_system_resource',
  'internal_error',
  'network_error',
  'server_error',
  'timeout',
]);

/**
 * Why a reply ended, in any server's word: `content_filter: SAFETY`, `FinishReason.MAX_TOKENS`, `LENGTH`. All others end well.
 */
export function meaningOf(reason: string): FinishMeaning {
  const [word = ''] = reason
    .toLowerCase()
    .replace(/^\w+\./, '')
    .split(/[:\s]/);
  if (lengths.has(word)) return 'length';
  if (filters.has(word)) return 'content-refused';
  return faults.has(word) ? 'server-failed' : 'stop';
}
