/** Signing up and in, unlocking, recovery, passwords. */
export const accountWords = {
  'sign-in.heading': 'Welcome back',
  'sign-in.new-here': 'New here? <link>Create account</link>',
  'sign-in.ended': 'Your session has ended. Please sign in again.',
  'sign-in.forgotten': 'Forgotten your password? <link>Use your recovery phrase</link>',

  'recover.heading': 'Your recovery phrase',
  'recover.lead': 'The 24 words that you wrote down when you made your account.',
  'recover.by-password': 'Use your password instead',

  'sign-up.heading': 'Create your account',
  'sign-up.lead': 'No e-mail address, no phone number. Your keys are made in this browser.',
  'sign-up.have-one': 'You have an account? <link>Sign in</link>',
  'sign-up.name-hint': 'The relay gets a scrambled form of it. Still, choose one that does not say who you are.',

  'phrase.heading': 'Your recovery phrase',
  'phrase.lead':
    'These 24 words open your account if you ever forget your password. They are shown only now, and nobody else has them: not the relay, not us.',
  'phrase.words': 'The 24 words',
  'phrase.copy': 'Copy',
  'phrase.download': 'Download',
  'phrase.print': 'Print',
  'phrase.copy-failed': 'This browser did not let Sotto copy the words. Write them down, or download them.',
  'phrase.keep':
    'Best on paper, where you keep other papers that matter. Whoever has these words can read everything in this account. Whoever has lost both words and password can never read it again.',
  'phrase.confirm': 'I have written down the 24 words and keep them in a safe place.',
  'phrase.confirm-first': 'Write the words down first, then say so here.',
  'phrase.continue': 'Continue',
  'phrase.file-name': 'sotto-recovery-phrase.txt',
  'phrase.file-title': 'Sotto recovery phrase',
  'phrase.file-end': 'Whoever has these words can read everything in the account.',

  'typed-phrase.count': 'This has {count, plural, one {# word} other {# words}}; a recovery phrase has {all, number}.',
  'typed-phrase.many-unknown': '{count, number} of them are in no recovery phrase. Look at the sheet that you wrote.',
  'typed-phrase.unknown': 'Word {position, number}, “{word}”, is in no recovery phrase.',
  'typed-phrase.check': 'Check the spelling.',
  'typed-phrase.no-match':
    'Each of these words can be in a recovery phrase, but they do not belong together: one is another word, or they stand in another order.',

  'strength.empty': 'At least 12 characters. Long is better than tricky: four or five unrelated words do well.',
  'strength.is': 'Strength: {strength}.',
  'strength.0': 'very weak',
  'strength.1': 'weak',
  'strength.2': 'fair',
  'strength.3': 'good',
  'strength.4': 'strong',
  'strength.short': 'Use at least 12 characters.',

  'new-password.heading': 'Choose a new password',
  'new-password.lead': 'All other sessions of this account end. Your recovery phrase stays the same.',
  'new-password.lead-recovered':
    'You are in. If you no longer know your password, choose a new one now. Your recovery phrase stays the same.',
  'new-password.current': 'Current password',
  'new-password.by-phrase': 'Use your recovery phrase instead',
  'new-password.by-password': 'Use your current password instead',
  'new-password.new': 'New password',
  'new-password.again': 'New password again',
  'new-password.unlike': 'This is not the same as the new password above.',
  'new-password.set': 'Set password',
  'new-password.skip': 'Skip',
  'new-password.done': 'Your password is changed',
  'new-password.done-lead':
    'All other sessions of this account have ended. Your recovery phrase is the same as before.',
  'new-password.to-chats': 'To your chats',

  'unlock.heading': 'Locked',
  'unlock.lead': 'Your keys are not in memory. Your password brings them back.',
  'unlock.unlock': 'Unlock',
  'unlock.wrong': 'That password does not match.',
} as const;
