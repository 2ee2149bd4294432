import type { Network } from '../../surroundings/network.ts';
import { probeRelay, RelayWatch, silentAfterMs, watchedFetch } from './relay-watch.ts';
import { ReportedNetwork } from './reported-network.ts';
import type { RelayConnection } from '../http/http-call.ts';
import type { Surroundings } from '../../surroundings/surroundings.ts';

export type ConnectionStatus = 'connected' | 'connecting' | 'relay-unreachable' | 'offline';

type ConnectionDependencies = Pick<Surroundings, 'fetch' | 'origin' | 'clock' | 'random' | 'network'>;

/** How the way to the relay is: what is wrong now goes before what the live response last came to. */
export class ConnectionState {
  readonly watch: RelayWatch;
  /** Every call of it is watched. */
  readonly relay: RelayConnection;
  readonly #network: ReportedNetwork;
  readonly #onStatus: (status: ConnectionStatus) => void;
  #live: ConnectionStatus = 'connecting';
  #said: ConnectionStatus = 'connecting';
  /** The network is back, and the relay has not had the time to say anything yet. */
  #isReturning = false;

  constructor(dependencies: ConnectionDependencies, onStatus: (status: ConnectionStatus) => void) {
    const { fetch, origin, clock, random } = dependencies;
    this.#onStatus = onStatus;
    this.#network = new ReportedNetwork(dependencies.network);
    this.#network.onChange(() => {
      this.#isReturning = this.#said === 'offline' && this.#network.isOnline();
      if (this.#network.isOnline()) this.watch.ask();
      if (this.#isReturning) {
        clock.after(silentAfterMs, () => {
          this.#isReturning = false;
          this.#say();
        });
      }
      this.#say();
    });
    this.watch = new RelayWatch({ clock, random, probe: probeRelay(fetch, origin), onSilent: () => this.#say() });
    this.relay = { fetch: watchedFetch(fetch, this.watch), origin, clock };
  }

  get network(): Network {
    return this.#network;
  }

  /** Notes what the page says of the network, and if somebody looks at it. */
  note({ isOnline, isSeen }: { readonly isOnline: boolean; readonly isSeen: boolean }): void {
    this.#network.report(isOnline);
    this.watch.look(isSeen);
  }

  /** Notes the status of the live response. */
  live(status: ConnectionStatus): void {
    this.#live = status;
    this.#say();
  }

  end(): void {
    this.watch.end();
  }

  #say(): void {
    const status = this.#statusNow();
    if (status === this.#said) return;
    this.#said = status;
    this.#onStatus(status);
  }

  #statusNow(): ConnectionStatus {
    if (!this.#network.isOnline()) return 'offline';
    // One thing is said of one outage: no third state passes by on the way back.
    if (this.watch.isSilent) return this.#isReturning ? 'offline' : 'relay-unreachable';
    // The live response ended so, and stands again in a moment.
    return this.#live === 'offline' ? 'connecting' : this.#live;
  }
}
