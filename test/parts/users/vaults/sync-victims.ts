/* oxlint-disable vitest/no-standalone-expect -- called by tests. */
import { expect } from 'vitest';
import type { BrowserProfile } from './browser-profile.ts';
import type { DeviceLab } from './device-lab.ts';
import { changeJson } from '../../relay/tamper.ts';
import type { VaultTab } from './vault-tab.ts';
import type { Person } from '../person.ts';

export type Sync = {
  items: Record<string, unknown>[];
  head: { counter: number; body: string };
  more: boolean;
  format: 1;
};
export type Victim = { readonly tab: VaultTab; readonly profile: BrowserProfile };

/** Devices of one person whose relay lies about the items, beside one that writes them. */
export class SyncVictims {
  readonly #lab: DeviceLab;
  readonly #writer: VaultTab;
  readonly #person: Person;

  constructor(lab: DeviceLab, writer: VaultTab, person: Person) {
    this.#lab = lab;
    this.#writer = writer;
    this.#person = person;
  }

  /** A device that comes new, through a relay that lies about the items. */
  async newDevice(change: (answer: Sync) => unknown): Promise<Victim> {
    const profile = this.#lab.profile();
    profile.intercept = changeJson(/^\/v1\/items$/, (answer: Sync, request) =>
      request.method === 'GET' ? change(answer) : answer,
    );
    const { tab } = await this.#lab.signIn(this.#person, profile);
    return { tab, profile };
  }

  /** One that has everything, through an honest relay. */
  async knownDevice(): Promise<Victim> {
    const profile = this.#lab.profile();
    const { tab } = await this.#lab.signIn(this.#person, profile);
    await this.expectWhole(tab);
    return { tab, profile };
  }

  /** It says so, shows nothing of it, and shows everything once the relay is honest. */
  async expectRefused({ tab, profile }: Victim, code: string, shown: readonly string[] = []): Promise<void> {
    await tab.until(() => tab.alarms.length > 0);
    expect(tab.alarms).toEqual([code]);
    expect(tab.titles().toSorted()).toEqual(shown);
    profile.intercept = null;
    await this.expectWhole(tab);
  }

  async expectWhole(tab: VaultTab): Promise<void> {
    await tab.until(() => tab.conversations.length === this.#writer.conversations.length);
    expect(tab.titles().toSorted()).toEqual(this.#writer.titles().toSorted());
  }

  /** Records what the relay answers to a whole sync now. */
  async recordSync(): Promise<Sync> {
    let recorded: Sync | null = null;
    const { tab } = await this.newDevice((answer) => {
      recorded ??= structuredClone(answer);
      return answer;
    });
    await this.expectWhole(tab);
    if (recorded === null) throw new Error('No sync was seen.');
    return recorded;
  }
}
