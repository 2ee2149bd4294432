/*
 * Words in which servers complain, by what they mean. Most send no code that says it, and those of different makers have different
 * words: a new server mostly means one more word here.
 */

/** The conversation is longer than the model reads. */
export const tooLong =
  /context[_ -]?(length|size|window|limit|overflow)|exceed_context|max_seq_len|session_len|max_num_tokens|max(imum)? (model|sequence|input|prompt|message)[_ ](length|tokens)|model max(imum)? length|model token limit|too many (input |prompt )?tokens|(prompt|input|request|conversation) (is )?too long|input token count|range of input length|current length is \d|max_tokens must be (at least|greater)|supports? (only )?up to \d+ tokens|tokens\b.{0,40}(must be|must have|exceeds?|longer|>)|must have less than .{0,20}tokens|longer than the (model|maximum)|超长|上下文长度|长度超/i;
/** One text is longer than the server takes, whatever the model. */
export const tooLarge = /string_above_max_length|string too long|(body|payload|request|entity) (is )?too large/i;
export const filtered =
  /content[_ ]?(filter|policy|management)|moderation|safety|flagged|responsible ?ai|guardrail|data_?inspection|inappropriate content|sensitive[ _]?(information|content|words?)|exists risk|high risk|敏感|不安全|违规/i;
export const loading =
  /loading|being (loaded|downloaded|pulled)|warming|starting up|still starting|not (yet )?ready|not yet loaded|not loaded yet|initiali[sz]ing/i;
/** Nothing is left to pay with: waiting helps nobody. */
const outOfMoney =
  /insufficient[_ ](account[_ ])?(quota|funds|credit|balance)|billing|payment|credits?\b|\bbalance\b|not_enough_balance|arrear|current quota|欠费|余额/i;
const quota = /quota/i;
/** So many questions in a while: it passes, whatever else is called a quota there. */
const rate = /rate[_ -]?limit|per[_ -](second|minute|hour|day)|\b[rt]p[md]\b|(try|retry) (again )?(in|after) \d/i;
export const overloaded =
  /overloaded|(over|at) ?capacity|capacity[_ ](is )?exceeded|too many requests|rate[_ -]?limit|(server|service) (is )?busy|throttl/i;
export const keyRefused = /api[_ ]?key|unauthori[sz]ed|authentication|(invalid|valid|expired) token/i;
export const modelUnknown =
  /model[_ ]not[_ ](found|loaded|available)|(unknown|invalid|no such) model|(not a |in)valid model|model (id|name|identifier)\b.{0,20} (is )?invalid|model\b.{0,200}\b(not found|not exist|does not exist|not available|not supported|not loaded|unavailable)|unloaded|(access to|access) (the )?model|deployment.{0,80}(not exist|not ?found)|no (endpoints|allowed providers) (found|are)|provider not provided|pull(ing)? (it|the model)|no models? (is |are )?loaded/i;
/** The server's own fault, though its status says that the question is to blame. */
export const broken =
  /crashed|exit code|channel error|out of memory|\bcuda\b|during generation|internal (server )?error|try again/i;
/** The server does not serve the place from which it is asked. */
export const placeRefused = /unsupported_country|(country|region|territory|location).{0,40}not (supported|available)/i;
/** A template that knows no system message, or counts it as a turn. */
export const systemRefused =
  /system[_ ](role|message|prompt|instruction).{0,40}(not|isn.t|un)|(not|un)\w*.{0,20}system[_ ](role|message)|roles must alternate|only user(,| and) (assistant|model)/i;

export function isSpent(said: string): boolean {
  return outOfMoney.test(said) || (quota.test(said) && !rate.test(said));
}
