import { writeSettingsPages } from './settings/settings-pages.ts';

/* `npm run settings`: writes the tables of settings into the documents, after the table in settings/ was changed. */
writeSettingsPages();
