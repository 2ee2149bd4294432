/** These words frame every page: titles, links, fields, and the pages of something that went wrong. */
export const shellWords = {
  'title.home': 'Sotto, a private AI chat',
  'title.create-account': 'Create account · Sotto',
  'title.sign-in': 'Sign in · Sotto',
  'title.recover': 'Sign in by recovery phrase · Sotto',
  'title.unlock': 'Unlock · Sotto',
  'title.new-password': 'New password · Sotto',
  'title.chat': 'Chat · Sotto',
  'title.not-found': 'Not found · Sotto',

  'start.description':
    'A private AI chat: what you write is sealed in your browser, and the service that carries and keeps it has no key.',
  'start.needs-script': 'Sotto encrypts and decrypts in your browser, and needs JavaScript for that.',
  'start.slow': 'Sotto is still loading. If nothing comes, look at your connection, then reload the page.',
  'start.loading-chats': 'Loading chats…',
  'start.part-missing': 'A part of this page did not arrive. It comes as soon as there is a connection to the relay.',

  'button.cancel': 'Cancel',
  'button.close': 'Close',
  'button.dismiss': 'Dismiss',
  'button.delete': 'Delete',
  'button.reload': 'Reload',
  'button.rename': 'Rename',
  'button.retry': 'Retry',
  'button.stay': 'Stay',
  'button.ask-again': 'Ask again',

  'account.create': 'Create account',
  'account.sign-in': 'Sign in',
  'account.sign-out': 'Sign out',

  'field.show-typed': 'Show what I type',
  'field.hide-typed': 'Hide what I type',
  'field.user-name': 'User name',
  'field.password': 'Password',
  'field.phrase': 'Recovery phrase',
  'field.phrase-count': '{count, number} of {all, number} words',

  'copy.done': 'Copied',
  'copy.failed': 'Could not copy',

  'age.today': 'Today',
  'age.yesterday': 'Yesterday',
  'age.week': 'Last 7 days',
  'age.month': 'Last 30 days',
  'age.earlier': 'Earlier',

  'wait.seconds': '{count, plural, one {# second} other {# seconds}}',
  'wait.minutes': '{count, plural, one {# minute} other {# minutes}}',
  'wait.hours': '{count, plural, one {# hour} other {# hours}}',
  'wait.elapsed-seconds': '{seconds}\u00A0s',

  'connection.kept-typed': 'What you typed stays here.',
  'connection.kept-written': 'What you write is kept here until it can be sent.',
  'connection.offline': 'You are offline. {kept}',
  'connection.relay-away': 'No connection to the relay; trying again. {kept}',
  'connection.back': 'The connection is back.',

  'alarm.integrity': 'Integrity alarm.',

  'not-found.heading': 'Nothing here',
  'not-found.lead': 'No page of Sotto has this address.',
  'not-found.home': 'Home',
  'unshown.heading': 'This page could not be shown',
  'unshown.lead':
    'A part of it did not arrive, or failed. Nothing was lost: whatever you wrote before stays sealed where it is.',
  'broken.heading': 'Sotto cannot start here',
  'broken.kept': 'Nothing was lost: whatever you wrote before stays sealed where it is.',
} as const;
