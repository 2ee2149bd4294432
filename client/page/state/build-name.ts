/** Put in by Vite (vite.config.ts). */
declare const __SOTTO_VERSION__: string;
declare const __SOTTO_BUILD__: string;

/** Version of package.json. */
export const clientVersion: string = __SOTTO_VERSION__;
/** Hash over all sources of the client: whoever builds the same sources gets the same. */
export const clientBuild: string = __SOTTO_BUILD__;
