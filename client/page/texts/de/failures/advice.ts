/** Advice that several failures share. */
export const tryLater = 'Versuchen Sie es später noch einmal.';
export const tellOperator = 'Wenn es so bleibt, sagen Sie dem Betreiber dieses Dienstes Bescheid.';
export const reload = `Laden Sie die Seite neu. ${tellOperator}`;
export const currentBrowser = 'Verwenden Sie eine aktuelle Version von Firefox, Chrome, Edge oder Safari.';
