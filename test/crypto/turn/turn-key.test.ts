import { describe, expect, test } from 'vitest';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { deriveStopToken, generateTurnKey } from '../../../crypto/turn/turn-key.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

describe('deriveStopToken', () => {
  test('is one for each turn and key, and nothing of either', () => {
    const turnKey = generateTurnKey();
    const turnId = randomBytes(16);
    const token = deriveStopToken({ turnKey, turnId });
    expect(token).toHaveLength(32);
    expect(token).toEqual(deriveStopToken({ turnKey, turnId }));
    expect(token).not.toEqual(deriveStopToken({ turnKey, turnId: randomBytes(16) }));
    expect(token).not.toEqual(deriveStopToken({ turnKey: generateTurnKey(), turnId }));
    expect(token).not.toEqual(turnKey.expose());
    expect(refusalOf(() => deriveStopToken({ turnKey, turnId: randomBytes(15) }))).toBe('invalid-argument');
  });
});
