/** What the client says of this kind, word for word (SPEC.md §9.6). */
export const modalSentence =
  'The operator of this service states that the model runs on Modal. The operator and Modal could read your messages.';
