/** "What the relay sees": the relay's columns, and the words that only this browser reads. */
export const relayViewWords = {
  'relay-view.heading': 'What the relay sees',
  'relay-view.lead':
    'Your words, opened by the keys in this browser, and beside them everything that the relay holds for each. It has no key to any of it.',
  'relay-view.asking': 'Asking the relay',
  'relay-view.you-see': 'What you see',
  'relay-view.you-see-before': 'What you see: ',
  'relay-view.relay-holds': 'What the relay holds',
  'relay-view.relay-holds-before': 'What the relay holds: ',
  'relay-view.nothing': 'The relay holds nothing of this conversation yet.',
  'relay-view.account': 'And of your account',
  'relay-view.besides':
    'The relay also sees your address while you are connected, and roughly how long an answer takes. It could keep what it was told to delete; it still could not read it.',
  'relay-view.sealed-item': 'A sealed item',
  'relay-view.sealed-transcript': 'The sealed transcript of an answer',
  'relay-view.nothing-to-read': 'Nothing to read',
  'relay-view.compacted':
    'How the answer came to you. Its frames were deleted when the answer above was stored in one piece.',
  'relay-view.title': 'Title of the conversation',
  'relay-view.question': 'You wrote',
  'relay-view.answer': 'The assistant wrote',
  'relay-view.settings': 'A setting',
  'relay-view.verification': 'What was verified',
  'relay-view.verification-text': 'What your browser checked on {time}: evidence of kind {kind}, model {model}.',
  'relay-view.note': 'How the answer ended',
  'relay-view.bytes-spoken': '{count, plural, one {# byte} other {# bytes}} without meaning to anyone who has no key.',
  'relay-view.bytes': '{count, plural, one {# byte} other {# bytes}}',
  'relay-view.fetching': 'Fetching…',
  'relay-view.all-bytes': 'Show all bytes',
  'relay-view.more-bytes': 'Show more',
  'relay-view.more-columns': '{count, plural, one {One more column} other {# more columns}}',
} as const;
