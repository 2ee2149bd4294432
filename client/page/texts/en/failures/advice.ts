/** Advice that several failures share. */
export const tryLater = 'Try again in a while.';
export const tellOperator = 'If it stays so, tell whoever runs this service.';
export const reload = `Reload the page. ${tellOperator}` as const;
export const currentBrowser = 'Use a current version of Firefox, Chrome, Edge or Safari.';
