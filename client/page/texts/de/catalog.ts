import type { Messages } from '../say.ts';
import { accountWords } from './account.ts';
import { chatWords } from './chat.ts';
import { detailWords } from './check-details.ts';
import { checkWords } from './checks.ts';
import { failureWords } from './failures.ts';
import { homeWords } from './home.ts';
import { passwordWords } from './passwords.ts';
import { protectionWords } from './protection.ts';
import { refusalWords } from './refusals.ts';
import { relayFailureWords } from './relay-failures.ts';
import { relayViewWords } from './relay-view.ts';
import { replyErrorWords } from './reply-errors.ts';
import { shellWords } from './shell.ts';
import { shieldWords } from './shield.ts';
import { threadWords } from './thread.ts';

/** The same messages in German; the reader is "Sie". */
export const german = {
  ...shellWords,
  ...homeWords,
  ...accountWords,
  ...passwordWords,
  ...chatWords,
  ...threadWords,
  ...protectionWords,
  ...shieldWords,
  ...checkWords,
  ...detailWords,
  ...relayViewWords,
  ...refusalWords,
  ...failureWords,
  ...relayFailureWords,
  ...replyErrorWords,
} satisfies Messages;
