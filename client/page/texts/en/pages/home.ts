export const homeWords = {
  'home.skip': 'Skip to the text',
  'home.heading': 'Talk to an AI in a low\u00A0voice.',
  'home.lead':
    'Sotto seals what you write in your browser, before it leaves. The service that carries and keeps your chats has no key to them. Only the enclave that answers opens a question, and you see who could look into it before you send.',
  'home.open-chats': 'Open your chats',
  'home.licence': 'Free software under Apache-2.0. No tracking, no third-party requests.',
  'home.build': 'Version {version}, build <code>{build}</code>',

  'journey.heading': 'The way of a question',
  'journey.browser': 'Your browser',
  'journey.browser-does': 'You write. It is sealed here.',
  'journey.question': 'My doctor said “atypical”. What should I ask her on Monday?',
  'journey.relay': 'The relay',
  'journey.relay-does': 'It keeps and forwards this. That is all it has.',
  'journey.relay-bytes': 'Bytes without meaning.',
  'journey.enclave': 'The enclave',
  'journey.enclave-does': 'It opens one question, answers, seals, forgets.',
  'journey.answer': '“Atypical” covers a range. Ask which finding it refers to, and…',

  'parties.heading': 'Who can read what',
  'parties.who': 'Who',
  'parties.words': 'Your words',
  'parties.besides': 'What else',
  'parties.you': 'You',
  'parties.you-role': 'in your browser',
  'parties.you-words': 'Everything',
  'parties.you-besides': 'Your password and your keys never leave this device in a readable form.',
  'parties.relay': 'The relay',
  'parties.relay-role': 'stores and forwards',
  'parties.relay-words': 'Nothing',
  'parties.relay-besides':
    'An account number, times, sizes in coarse steps, the model’s name. No name in clear, no words, no titles.',
  'parties.enclave': 'The enclave',
  'parties.enclave-role': 'runs the model',
  'parties.enclave-words': 'One request, while it answers',
  'parties.enclave-besides': 'It is not told who asks, and writes nothing to a disk or a log.',
  'parties.host': 'Whoever runs the enclave’s machine',
  'parties.host-role': 'operator or host',
  'parties.host-words': 'Depends on the machine',
  'parties.host-besides':
    'Hardware can keep them out, or nothing does. A sentence beside the message box says which, before you send.',

  'limits.heading': 'What you should know',
  'limits.reset': 'Nobody can reset your password.',
  'limits.reset-text':
    'There is no key but yours. At the start you get 24 words that open your account if you forget the password. Without both, your chats are gone.',
  'limits.seen': 'The relay sees that you are there.',
  'limits.seen-text':
    'When you write, roughly how much, and from which address. It hides nothing else from you either: in every chat you can look at the very bytes that it holds.',
  'limits.delivered': 'This page comes from the relay.',
  'limits.delivered-text':
    'A dishonest one could send you a changed page. Version and build stand below; whoever builds the published sources gets the same build name.',
} as const;
