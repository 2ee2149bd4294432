import type { Texts } from '../say.ts';
import { accountWords } from './pages/account.ts';
import { chatWords } from './pages/chat.ts';
import { detailWords } from './protection/check-details.ts';
import { checkWords } from './protection/checks.ts';
import { failureWords } from './failures/failures.ts';
import { homeWords } from './pages/home.ts';
import { passwordWords } from './pages/passwords.ts';
import { protectionWords } from './protection/protection.ts';
import { refusalWords } from './protection/refusals.ts';
import { relayFailureWords } from './failures/relay-failures.ts';
import { relayViewWords } from './pages/relay-view.ts';
import { replyErrorWords } from './failures/reply-errors.ts';
import { shellWords } from './pages/shell.ts';
import { shieldWords } from './protection/shield.ts';
import { threadWords } from './pages/thread.ts';

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
} satisfies Texts;
