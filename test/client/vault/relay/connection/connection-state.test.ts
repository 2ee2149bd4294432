import { describe, expect, it } from 'vitest';
import type { Network } from '../../../../../client/vault/surroundings/network.ts';
import { ConnectionState } from '../../../../../client/vault/relay/connection/connection-state.ts';
import { ManualClock, settle } from '../../../../parts/machine/clocks/manual-clock.ts';

/** The surroundings of a vault: a network that goes and comes, and a relay behind it that answers or does not. */
class Surroundings {
  readonly clock = new ManualClock();
  readonly said: string[] = [];
  isOnline = true;
  hasRelay = true;
  calls = 0;
  readonly network: Network = { isOnline: () => this.isOnline, onChange: () => () => undefined };
  readonly state: ConnectionState;

  constructor() {
    const fetch = () => {
      this.calls += 1;
      return this.isOnline && this.hasRelay ? Promise.resolve(Response.json({})) : Promise.reject(new TypeError());
    };
    const dependencies = { fetch, origin: '', clock: this.clock, random: () => 0.5, network: this.network };
    this.state = new ConnectionState(dependencies, (status) => this.said.push(status));
    this.state.live('connected');
  }

  /** Acts as the browser does when it tells the page. */
  async setOnline(isOnline: boolean): Promise<void> {
    this.isOnline = isOnline;
    this.state.note({ isOnline, isSeen: true });
    if (!isOnline) {
      // The live response ends, and a call that was under way fails.
      this.state.live('offline');
      await this.state.relay.fetch('/v1/head').catch(() => undefined);
    }
    await settle();
  }
}

describe('ConnectionState: back from being offline', () => {
  it('nothing else is said between offline and connected', async () => {
    const surroundings = new Surroundings();
    await surroundings.setOnline(false);
    await surroundings.setOnline(true);
    surroundings.state.live('connected');
    expect(surroundings.said.filter((status) => status !== 'connecting')).toEqual([
      'connected',
      'offline',
      'connected',
    ]);
    surroundings.state.end();
  });

  it('a relay that is not there then is said to be away within a second', async () => {
    const surroundings = new Surroundings();
    await surroundings.setOnline(false);
    surroundings.hasRelay = false;
    await surroundings.setOnline(true);
    await surroundings.clock.pass(1_000);
    expect(surroundings.said).toEqual(['connected', 'offline', 'relay-unreachable']);
    surroundings.hasRelay = true;
    await surroundings.clock.pass(2_000);
    surroundings.state.live('connected');
    expect(surroundings.said.at(-1)).toBe('connected');
    surroundings.state.end();
  });
});

describe('ConnectionState: what the page notes', () => {
  it('the relay is told nothing of a page that is looked at, and is asked when the network comes back', async () => {
    const surroundings = new Surroundings();
    for (const isSeen of [true, false, true]) {
      surroundings.state.note({ isOnline: true, isSeen });
      await surroundings.clock.pass(5_000);
    }
    expect(surroundings.calls).toBe(0);
    surroundings.state.note({ isOnline: false, isSeen: true });
    surroundings.state.note({ isOnline: true, isSeen: true });
    await settle();
    expect(surroundings.calls).toBe(1);
    surroundings.state.end();
  });
});
