/** A screen reader calls a control so. A field for a password has no role of its own in the standard. */
export type ControlRole = 'button' | 'link' | 'textbox' | 'password' | 'checkbox' | 'menuitem' | 'heading' | 'alert';

/** One tab of a real browser, as a person has it: controls are found by role and accessible name, keys and clicks are real. */
export interface EngineTab {
  goto(address: string): Promise<void>;
  reload(): Promise<void>;
  /** True if such a control is there and to be seen, now. */
  shows(role: ControlRole, name: string): Promise<boolean>;
  /** Clicks the first that is to be seen. @returns false when there is none, now. */
  click(role: ControlRole, name: string): Promise<boolean>;
  /** Types in place of what the field holds. @returns false when there is none, now. */
  fill(role: ControlRole, name: string, text: string): Promise<boolean>;
  /** Evaluates an expression in the page. Its value must be JSON, and is the caller's to check. */
  read(expression: string): Promise<unknown>;
}

/** A browser with one profile of its own, which nothing outlives. */
export interface Engine {
  openTab(): Promise<EngineTab>;
  stop(): Promise<void>;
}

/** How a person, or whoever looks after their machine, has set a browser. */
export type EngineSetting =
  | 'as it comes'
  | 'a private window'
  | 'third-party cookies off'
  | 'all site data blocked'
  | 'no database'
  | 'no room for a database'
  | 'WebAssembly off';
