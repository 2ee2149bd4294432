import { useEffect, useState } from 'react';

function carriesFiles(data: DataTransfer | null): boolean {
  return data !== null && [...data.types].includes('Files');
}

/** Whether files were dropped on the page, or pasted where there was no text with them; until it is taken back. */
export function useFilesRefused(): { readonly refused: boolean; readonly takeBack: () => void } {
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const onDrop = (event: DragEvent) => {
      if (carriesFiles(event.dataTransfer)) setRefused(true);
    };
    const onPaste = (event: ClipboardEvent) => {
      const { clipboardData } = event;
      // Word processors put a picture of the text beside it.
      if (clipboardData !== null && carriesFiles(clipboardData) && clipboardData.getData('text/plain') === '') {
        event.preventDefault();
        setRefused(true);
      }
    };
    window.addEventListener('drop', onDrop);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('drop', onDrop);
      window.removeEventListener('paste', onPaste);
    };
  }, []);
  return { refused, takeBack: () => setRefused(false) };
}
