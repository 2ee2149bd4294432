import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());
beforeEach(() => {
  lab.upstream.answerWith({});
});

/** Stands in the way of a browser's calls: counts lists of turns, holds questions, and holds or ends the live response. */
class Way {
  lists = 0;
  question: Promise<void> = Promise.resolve();
  records: Promise<void> = Promise.resolve();
  #end: () => void = () => undefined;

  constructor(profile: BrowserProfile) {
    profile.intercept = async (request, next) => {
      const { pathname } = new URL(request.url);
      if (request.method === 'POST' && pathname === '/v1/turns') await this.question;
      const response = await next(request);
      if (request.method === 'GET' && pathname === '/v1/turns') this.lists += 1;
      return pathname === '/v1/live' && response.body !== null ? this.#hold(response, response.body) : response;
    };
  }

  /** In order, as a relay that restarts: the browser asks for it again, and for what it missed. */
  endLive(): void {
    this.#end();
  }

  #hold(response: Response, body: ReadableStream<Uint8Array>): Response {
    const held = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => {
        this.#end = () => controller.terminate();
      },
      transform: async (records, controller) => {
        await this.records;
        controller.enqueue(records);
      },
    });
    body.pipeTo(held.writable).catch(() => undefined);
    return new Response(held.readable, response);
  }
}

/** A reading that waits for the vault would wait for a question on its way too, with a list from before it was asked. */
async function quiet(profile: BrowserProfile, hasBegun: () => boolean): Promise<void> {
  for (let before = -1; !hasBegun() || before !== profile.requests.length;) {
    before = profile.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    await profile.whenVaultIsFree();
  }
}

describe('the messages of a conversation', () => {
  it('keep their places when an answer that was asked for again is heard of once more', async () => {
    const profile = lab.profile();
    const way = new Way(profile);
    const { tab } = await lab.signUp(profile);
    lab.upstream.answerWith({ failWith: 500 });
    const { conversationId, turnId } = await tab.ask('Asked twice.');
    expect((await tab.ended(turnId)).state).toMatchObject({ outcome: 'error' });
    lab.upstream.answerWith({});
    await tab.vault.retry({ conversationId, turnId });
    await tab.until(() => tab.texts(conversationId).join() === 'Asked twice.,In a low voice.');
    // The relay is asked again for everything that is still read, the first turn included.
    way.lists = 0;
    way.endLive();
    await tab.until(() => way.lists > 0);
    // The next question is answered after all that the relay said of the earlier ones.
    const next = await tab.ask('And then?', conversationId);
    await tab.ended(next.turnId);
    expect(tab.texts(conversationId)).toEqual(['Asked twice.', 'In a low voice.', 'And then?', 'In a low voice.']);
    expect(tab.strays).toEqual([]);
  });

  it('are not called missing because a list of the relay was older than the question', async () => {
    const profile = lab.profile();
    const way = new Way(profile);
    const { tab } = await lab.signUp(profile);
    const second = await profile.openTab();
    await tab.until(() => tab.connection === 'connected');
    await quiet(profile, () => way.lists >= 2);
    const stored = Promise.withResolvers<void>();
    way.question = stored.promise;
    const { conversationId, turnId } = await tab.ask('On its way for a while.');
    await second.until(() => second.conversations.length === 1);
    await second.vault.openConversation({ conversationId });
    // Both tabs ask what the relay has, while it does not have the question.
    way.lists = 0;
    way.endLive();
    await second.until(() => way.lists >= 2);
    // Its items come before the live response says that the turn was started.
    const heard = Promise.withResolvers<void>();
    way.records = heard.promise;
    stored.resolve();
    await second.until(() => second.question(turnId).stored);
    // Long enough for both to bring to its end what they had begun with that list.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    heard.resolve();
    expect((await second.ended(turnId)).text).toBe('In a low voice.');
    const states = [tab, second].flatMap(({ events }) =>
      events.flatMap((event) => {
        const messages = event.type === 'messages' ? event.messages : event.type === 'message' ? [event.message] : [];
        return messages.flatMap((message) => (message.role === 'assistant' ? message.state.kind : []));
      }),
    );
    expect(states).toContain('ended');
    expect(states).not.toContain('missing');
  });
});
