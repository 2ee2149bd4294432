import { describe, expect, test } from 'vitest';
import { framesToSendAfterEnd, sealedFrameLength, transcriptRung } from '../../../crypto/turn/reply-frame.ts';

describe('transcriptRung', () => {
  test('is the frozen ladder', () => {
    const chat = [1, 2, 32, 33, 64, 65, 500, 1024, 1025, 2048, 2049, 10_000].map((n) => transcriptRung('chat', n));
    expect(chat).toEqual([32, 32, 32, 64, 64, 128, 512, 1024, 2048, 2048, 3072, 10_240]);
    const bulk = [1, 2, 3, 17, 64, 65, 129].map((n) => transcriptRung('bulk', n));
    expect(bulk).toEqual([2, 2, 4, 32, 64, 128, 192]);
  });

  test('leaves room for FINAL', () => {
    for (const sent of [1, 30, 31, 32, 63, 64, 1023, 1024, 5000]) {
      const total = sent + framesToSendAfterEnd('chat', sent) + 1;
      expect(total).toBe(transcriptRung('chat', sent + 1));
      expect(framesToSendAfterEnd('chat', sent)).toBeGreaterThanOrEqual(0);
    }
  });

  test('frames on the wire are 16 bytes longer than their plaintext', () => {
    expect((['chat', 'fast', 'bulk'] as const).map(sealedFrameLength)).toEqual([272, 1040, 16_400]);
  });
});
