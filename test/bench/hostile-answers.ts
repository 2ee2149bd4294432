import type { Page } from 'playwright-core';
import { hostileAnswers } from '../parts/hostile-answers.ts';
import { ScriptedClient, showConversation } from '../parts/scripted-client/scripted-page.ts';
import { type Figure } from './parts/figure.ts';

const kilobytes = [2, 4, 8, 16] as const;
/** As a phone of some years ago. */
const slowedBy = 4;
const frameLength = 250;

type Rendered = { readonly longestTaskMs: number; readonly totalMs: number };

/** Opens and streams each hostile answer at growing lengths, with the processor slowed: the longest task, and how the whole grows. */
export async function benchHostileAnswers(): Promise<Figure[]> {
  const client = await ScriptedClient.start();
  const figures: Figure[] = [];
  const only = process.env['HOSTILE_ANSWER'];
  try {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', reducedMotion: true });
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: slowedBy });
    // The first answers compile what the others use.
    for (const text of ['Warm *up*.', '- a\n- b', '| a |\n|---|\n| b |']) await renderAnswer(page, text, 'opened');
    for (const way of ['opened', 'streamed'] as const) {
      const longest = new Map<number, { name: string; ms: number }>();
      let steepest = { name: '', ratio: 0 };
      for (const [name, make] of Object.entries(hostileAnswers)) {
        if (only !== undefined && only !== name) continue;
        const times: number[] = [];
        for (const size of kilobytes) {
          const { longestTaskMs, totalMs } = await renderAnswer(page, make(size * 1024), way);
          times.push(totalMs);
          if (longestTaskMs > (longest.get(size)?.ms ?? -1)) longest.set(size, { name, ms: longestTaskMs });
          if (only !== undefined || longestTaskMs > 200) console.log(`${way} ${size} kB ${name}: ${longestTaskMs} ms`);
        }
        const ratio = (times[3] ?? 0) / Math.max(100, times[1] ?? 0);
        if (ratio > steepest.ratio) steepest = { name, ratio };
      }
      for (const [size, { name, ms }] of longest) {
        figures.push({ measure: `${way}, ${size} kB, longest task`, value: ms, unit: 'ms', note: name });
      }
      figures.push({
        measure: `${way}, 16 kB / 4 kB, steepest`,
        value: steepest.ratio,
        unit: 'times',
        note: steepest.name,
      });
    }
    return figures;
  } finally {
    await client.stop();
  }
}

async function renderAnswer(page: Page, text: string, way: 'opened' | 'streamed'): Promise<Rendered> {
  const id = await page.evaluate(([answer]) => window.vault.addConversation('Hostile', [['A question', answer]]), [
    way === 'opened' ? text : 'An answer.',
  ] as const);
  await page.evaluate(() => {
    const tasks: number[] = [];
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    });
    observer.observe({ type: 'longtask' });
    Object.assign(window, { tasks, observer });
  });
  const startedAt = performance.now();
  await showConversation(page, id);
  if (way === 'streamed') await streamAnswer(page, id, text);
  await page.waitForFunction(() => document.querySelector('[role="log"] article[aria-busy="false"]') !== null);
  // Everything is mounted once nothing changes any more.
  await page.evaluate(async () => {
    let quiet = 0;
    let before = '';
    while (quiet < 6) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      const now = `${document.querySelectorAll('[role="log"] *').length} ${document.querySelector('[role="log"]')?.scrollHeight}`;
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  });
  const totalMs = performance.now() - startedAt;
  const longestTaskMs = await page.evaluate(() => {
    const { tasks, observer } = window as unknown as { tasks: number[]; observer: PerformanceObserver };
    observer.disconnect();
    return Math.max(0, ...tasks);
  });
  return { longestTaskMs, totalMs };
}

/** In frames as the relay brings them, as fast as the page takes them. */
async function streamAnswer(page: Page, conversationId: string, text: string): Promise<void> {
  await page.evaluate(
    async ([id, words, length]) => {
      const turn = window.vault.addTurn(id, 'And now?', { kind: 'streaming' });
      for (let at = 0; at < words.length; at += length) {
        window.vault.streamText(turn, words.slice(at, at + length));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      window.vault.endAnswer(turn, 'complete');
    },
    [conversationId, text, frameLength] as const,
  );
}
