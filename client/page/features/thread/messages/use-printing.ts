import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { mountAtOnce } from '../../markdown/guards/mount-queue.ts';

/** True from just before the page is printed until it was: paper shows the whole conversation, not the part in view. */
export function usePrinting(): boolean {
  const [isPrinting, setIsPrinting] = useState(false);
  useEffect(() => {
    const begin = () => {
      mountAtOnce(true);
      flushSync(() => setIsPrinting(true));
    };
    const end = () => {
      mountAtOnce(false);
      setIsPrinting(false);
    };
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
      mountAtOnce(false);
    };
  }, []);
  return isPrinting;
}
