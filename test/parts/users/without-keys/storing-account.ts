import type { ItemWrite } from '../../../../crypto/protocol/messages/item-messages.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { TestRelay } from '../../relay/in-process/test-relay.ts';
import { hashOfHead, type QuickAccount, randomText, sealedHead } from './quick-account.ts';
import { newId, write } from './vault-device.ts';

/** An account that stores items by calls of its relay. */
export class StoringAccount {
  readonly #relay: TestRelay;
  readonly #account: QuickAccount;
  #head: QuickAccount['head'];

  constructor(relay: TestRelay, account: QuickAccount) {
    this.#relay = relay;
    this.#account = account;
    this.#head = account.head;
  }

  async store(items: readonly ItemWrite[]) {
    const head = sealedHead(this.#head.counter + 1);
    const batch = { format: 1, expectedHead: toBase64Url(this.#head.hash), head, items, prune: [], finishTurns: [] };
    const answer = await this.#relay.call('POST', '/v1/items', {
      body: batch,
      token: this.#account.session.accessToken,
    });
    if (answer.status === 200) this.#head = { counter: head.counter, hash: hashOfHead(head) };
    return answer;
  }

  /** @returns the ids of what was stored until not even a small item was taken, and the last refusal. */
  async fill() {
    const ids: string[] = [];
    let refusal = await this.store([]);
    for (const length of [524_288, 65_536, 1_100]) {
      do {
        const item = write(newId(), 1, { body: randomText(length) });
        refusal = await this.store([item]);
        if (refusal.status === 200) ids.push(item.id);
      } while (refusal.status === 200);
    }
    return { ids, refusal };
  }
}
