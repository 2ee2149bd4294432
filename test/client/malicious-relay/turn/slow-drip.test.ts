import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { allOf, answerInstead, changeRecords, dripping } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('M36 an answer that comes a byte a second', () => {
  it('keeps no other conversation from its answer, and no change from the relay', async () => {
    const { profile, tab } = await lab.openChat();
    await tab.until(() => tab.connection === 'connected');
    // Longer than one frame, so that the first, which passes, never holds all of it.
    const slowText = 'The slow one. '.repeat(40).trimEnd();
    lab.upstream.answerWith({ tokens: [slowText] });
    let slow = '';
    let drips = 0;
    profile.intercept = allOf(
      answerInstead(/^\/v1\/turns\/[^/]+\/frames$/, (request) => {
        drips += 1;
        return dripping(request.signal);
      }),
      changeRecords((record) => {
        if (record.kind !== 'frame') return [record];
        slow ||= toBase64Url(record.turnId);
        return toBase64Url(record.turnId) === slow && record.number > 0 ? [] : [record];
      }),
    );
    // The stream that stands is not the one that lies.
    profile.setOnline(false);
    await tab.until(() => tab.connection !== 'connected');
    profile.setOnline(true);
    await tab.until(() => tab.connection === 'connected');
    const first = await tab.ask('Slowly?');
    await tab.until(() => drips > 0);

    lab.upstream.answerWith({ tokens: ['The other ', 'one.'] });
    const second = await tab.ask('And here?');
    expect((await tab.ended(second.turnId)).text).toBe('The other one.');
    const changesBefore = profile.requests.filter(
      ({ method, path }) => method === 'POST' && path === '/v1/items',
    ).length;
    await tab.vault.renameConversation({ conversationId: first.conversationId, title: 'Still dripping' });
    await tab.until(
      () =>
        profile.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/items').length > changesBefore,
    );
    expect(tab.answer(first.turnId).state.kind).not.toBe('ended');

    profile.intercept = null;
    tab.abandon();
    const reloaded = await profile.openTab();
    await reloaded.vault.openConversation({ conversationId: first.conversationId });
    await reloaded.until(() => reloaded.answer(first.turnId).text === slowText);
    expect(reloaded.titles()).toContain('Still dripping');
  });

  it('as the live response is not waited for: the answer is fetched', async () => {
    const { profile, tab } = await lab.openChat();
    lab.upstream.answerWith({ tokens: ['By another ', 'way.'] });
    let drips = 0;
    profile.intercept = answerInstead(/^\/v1\/live$/, (request) => {
      drips += 1;
      return dripping(request.signal);
    });
    profile.setOnline(false);
    await tab.until(() => tab.connection !== 'connected');
    profile.setOnline(true);
    const { turnId } = await tab.ask('Are you there?');
    expect((await tab.ended(turnId)).text).toBe('By another way.');
    expect(drips).toBeGreaterThan(0);
    expect(tab.connection).not.toBe('connected');
    profile.intercept = null;
  });
});
