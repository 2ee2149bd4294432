/** Tells if this device has a network at all. */
export type Network = {
  isOnline(): boolean;
  /** @returns what ends it. */
  onChange(run: () => void): () => void;
};
