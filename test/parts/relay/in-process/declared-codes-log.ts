import type { Log } from '../../../../process/event-log.ts';

/** A relay's log that remembers which routes answered a code that they do not declare. */
export function watchDeclaredCodes(log: Log): { readonly log: Log; requireDeclared(): void } {
  const undeclared = new Set<string>();
  return {
    log: {
      error(event, fields) {
        if (event === 'undeclared-code') undeclared.add(`${String(fields?.['route'])}: ${String(fields?.['code'])}`);
        log.error(event, fields);
      },
      warn: (event, fields) => log.warn(event, fields),
      info: (event, fields) => log.info(event, fields),
      debug: (event, fields) => log.debug(event, fields),
    },
    requireDeclared() {
      if (undeclared.size === 0) return;
      throw new Error(`A route answered what it does not declare: ${[...undeclared].join(', ')}`);
    },
  };
}
