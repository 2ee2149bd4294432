import { createContext } from 'react';

/** Shows the verification document of one turn. */
export const OpenDocumentContext = createContext<(turnId: string) => void>(() => undefined);
