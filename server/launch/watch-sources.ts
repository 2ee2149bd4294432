import { watch } from 'node:fs';

/** Calls back a moment after TypeScript files in any of the folders have changed, once for a burst of changes. */
export function watchSources(folders: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watchers = folders.map((folder) =>
    watch(folder, { recursive: true }, (_event, name) => {
      if (name === null || !/\.(ts|json)$/.test(name)) return;
      clearTimeout(timer);
      timer = setTimeout(onChange, 200);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
