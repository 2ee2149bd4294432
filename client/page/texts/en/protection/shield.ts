/** Behind the shield: what was checked, the minimum, the verification document, and all that the relay holds. */
export const shieldWords = {
  'shield.heading': 'What protects this conversation',
  'shield.starting':
    'A machine with a large model takes some minutes to come up. You can write meanwhile; what you send waits here and goes when the enclave has proved what it is.',
  'shield.relay-question': 'And the relay in between? Look at the very bytes that it holds for this conversation.',
  'shield.relay-question-later':
    'And the relay in between? Once you have sent a first message, you can look at the very bytes that it holds.',
  'shield.checked': 'What your browser checked',
  'shield.who-answers': 'Who answers',

  'refused.attempted': 'Nothing was sent. Your text is still here.',
  'refused.see-checks': 'See the checks',
  'refused.lower': 'Lower the minimum here…',

  'lower.heading': 'Lower the minimum for this conversation?',
  'lower.known': 'You ask for {level}. Of the enclave that is there now, this is known:',
  'lower.meaning':
    'Everything that you send in this conversation from now on, with all that was said before in it, can go to such an enclave. Other conversations keep your minimum. The conversation notes when you did this.',
  'lower.keep': 'Keep my minimum',
  'lower.lower': 'Lower it here',

  'minimum.legend': 'Accept, in all your conversations',
  'minimum.ask-here': 'Ask for it here too',
  'minimum.own': 'Since {time} you have accepted {level} in this conversation.',
  'minimum.out-of-reach':
    'No enclave that this client was built to accept can offer that. Nothing will be sent until you ask for less.',

  'fact.model': 'Model',
  'fact.engine': 'Engine',
  'fact.evidence': 'Evidence',
  'fact.evidence-kind': '{name} ({kind})',
  'fact.release': 'Release',
  'fact.measurement': 'Measurement',
  'fact.key': 'Key that your words are sealed to',
  'fact.key-of-document': 'Key that words are sealed to',
  'fact.identity': 'Identity of the enclave',
  'fact.stand-in': 'Stand-in',
  'fact.stand-in-text': 'A second enclave that proved the same; words are sealed to both.',
  'fact.checked': 'Checked',
  'fact.minimum': 'Your minimum',
  'fact.model-asked': 'Model asked for',
  'fact.model-default': 'none by name: the enclave’s own',
  'fact.digest': 'Digest of the evidence',

  'document.heading': 'Verification document',
  'document.opening': 'Opening',
  'document.none': 'No verification document is kept here.',
  'document.of-now': 'What your browser checked of the enclave that is there now.',
  'document.of-question': 'What your browser checked before it sealed this question.',
  'document.contents':
    'The document holds all evidence and keys that the checks were made from, and no word of yours. With the source code of this client, <code>npm run verify -- document.json</code> makes the same checks again, without a network.',
  'document.export': 'Export',
  'document.saved': 'Handed to your browser’s downloads as {name}',
  'document.question': 'The question that it answers',
  'document.checks': 'The checks',
  'document.enclave': 'The enclave',
  'document.checks-of': 'The checks of enclave {position, number}',
  'document.enclave-of': 'Enclave {position, number}',
  'document.sentence-of': 'Enclave {position, number}: {sentence}',

  'link.heading': 'Leave Sotto?',
  'link.by-reply': 'The model wrote this address.',
  'link.by-client': 'This address stands in the release list that was compiled into your client.',
  'link.tells-host': 'Opening it tells {host} everything that stands in it, and that you came.',
  'link.tells-server': 'Opening it tells its server everything that stands in it, and that you came.',
  'link.tells-receiver': 'Opening it tells its receiver everything that stands in it, and that you came.',
  'link.open': 'Open',
} as const;
