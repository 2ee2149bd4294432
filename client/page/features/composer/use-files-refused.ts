import { useEffect, useState } from 'react';

function carriesFiles(data: DataTransfer | null): boolean {
  return data !== null && [...data.types].includes('Files');
}

type FilesRefused = {
  readonly refused: boolean;
  /** How often, so that it is said each time. */
  readonly times: number;
  readonly takeBack: () => void;
};

/** Tells that files were dropped on the page, or pasted without text, until a person takes them back. */
export function useFilesRefused(): FilesRefused {
  const [refused, setRefused] = useState(false);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const refuse = () => {
      setRefused(true);
      setTimes((count) => count + 1);
    };
    const onDrop = (event: DragEvent) => {
      if (carriesFiles(event.dataTransfer)) refuse();
    };
    const onPaste = (event: ClipboardEvent) => {
      const { clipboardData } = event;
      // Word processors put a picture of the text beside it.
      if (clipboardData !== null && carriesFiles(clipboardData) && clipboardData.getData('text/plain') === '') {
        event.preventDefault();
        refuse();
      }
    };
    window.addEventListener('drop', onDrop);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('drop', onDrop);
      window.removeEventListener('paste', onPaste);
    };
  }, []);
  return { refused, times, takeBack: () => setRefused(false) };
}
