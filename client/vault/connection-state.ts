import type { Network } from '../relay/live-frames.ts';
import { probeRelay, RelayWatch, watchedFetch } from '../relay/relay-watch.ts';
import { ReportedNetwork } from '../relay/reported-network.ts';
import type { RelayConnection } from '../relay/http-call.ts';
import type { ConnectionStatus } from './vault-api.ts';
import type { VaultParts } from './vault-parts.ts';

/** How the way to the relay is: what is wrong now goes before what the live response last came to. */
export class ConnectionState {
  readonly watch: RelayWatch;
  /** Every call of it is watched. */
  readonly relay: RelayConnection;
  readonly #network: ReportedNetwork;
  readonly #onStatus: (status: ConnectionStatus) => void;
  #live: ConnectionStatus = 'connecting';
  #said: ConnectionStatus = 'connecting';

  constructor(parts: VaultParts, onStatus: (status: ConnectionStatus) => void) {
    const { fetch, origin, clock, random } = parts;
    this.#onStatus = onStatus;
    this.#network = new ReportedNetwork(parts.network);
    this.#network.onChange(() => this.#say());
    this.watch = new RelayWatch({ clock, random, probe: probeRelay(fetch, origin), onSilent: () => this.#say() });
    this.relay = { fetch: watchedFetch(fetch, this.watch), origin, clock };
  }

  get network(): Network {
    return this.#network;
  }

  /** What the page says of the network, and whether somebody looks at it. */
  note({ isOnline, isSeen }: { readonly isOnline: boolean; readonly isSeen: boolean }): void {
    this.#network.report(isOnline);
    if (isOnline) this.watch.look(isSeen);
  }

  /** What the live response came to. */
  live(status: ConnectionStatus): void {
    this.#live = status;
    this.#say();
  }

  end(): void {
    this.watch.end();
  }

  #say(): void {
    const status = !this.#network.isOnline() ? 'offline' : this.watch.isSilent ? 'relay-unreachable' : this.#live;
    if (status === this.#said) return;
    this.#said = status;
    this.#onStatus(status);
  }
}
