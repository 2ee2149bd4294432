import { describe, expect, it } from 'vitest';
import { settledUntil } from '../../../../client/vault/relay/list-turns.ts';
import type { TurnRecord } from '../../../../crypto/protocol/messages/turn-messages.ts';

const turn = (startedAtMs: number, state: TurnRecord['state'] = 'ended', transcripts = 0): TurnRecord => ({
  turnId: 'A'.repeat(22),
  state,
  startedAtMs,
  endedAtMs: null,
  attempts: 1,
  requestLength: 1,
  stops: 0,
  transcripts: Array.from({ length: transcripts }, () => ({ header: '', frames: 1 })),
});
const future = 8e15;

describe('settledUntil', () => {
  it.each([
    ['nothing listed', [], 5],
    ['settled turns: short of the newest', [turn(30), turn(10)], 29],
    ['one that runs', [turn(10), turn(20, 'running'), turn(30)], 9],
    ['one whose transcript waits', [turn(10), turn(20, 'ended', 1), turn(30)], 9],
  ])('%s', (_, turns, expected) => {
    expect(settledUntil(turns, 5, 100)).toBe(expected);
  });

  it('never passes the newest question that is settled here, whatever the relay says of times (M44)', () => {
    expect(settledUntil([turn(10), turn(future)], 5, 40)).toBe(40);
    expect(settledUntil([turn(future), turn(future + 5, 'running')], 5, 40)).toBe(40);
  });

  it('does not go back for it', () => {
    expect(settledUntil([turn(60)], 50, 40)).toBe(50);
  });
});
