import type { Browser, Page } from 'playwright-core';
import { hostileAnswers } from '../parts/worker/writing/hostile-answers.ts';
import { ScriptedClient, showConversation } from '../parts/vault/scripted-client/scripted-page.ts';
import type { Figure } from './figure.ts';

const kilobytes = [2, 4, 8, 16] as const;
/** A phone of some years ago is so much slower. */
const slowedBy = 4;
const frameLength = 250;

type Way = 'opened' | 'streamed';
type Work = { readonly longestTaskMs: number; readonly totalMs: number };
type TraceEvent = { readonly ph: string; readonly name: string; readonly tid: number; readonly tdur?: number };

/**
 * Opens and streams each hostile answer at growing lengths with the processor slowed: the longest task of the page, and how its whole
 * work grows. Counted is the time that the page's thread computed, so that other processes of this machine are left out.
 */
export async function benchHostileAnswers(): Promise<Figure[]> {
  const client = await ScriptedClient.start();
  const asked = process.env['HOSTILE_ANSWER'];
  const answers = Object.entries(hostileAnswers).filter(([name]) => asked === undefined || asked === name);
  try {
    return [...(await benchWay(client, answers, 'opened')), ...(await benchWay(client, answers, 'streamed'))];
  } finally {
    await client.stop();
  }
}

async function benchWay(
  client: ScriptedClient,
  answers: readonly (readonly [string, (length: number) => string])[],
  way: Way,
): Promise<Figure[]> {
  const page = await openSlowPage(client);
  const figures: Figure[] = [];
  const ratios: Figure[] = [];
  for (const [name, make] of answers) {
    const works: Work[] = [];
    for (const size of kilobytes) works.push(await renderAnswer(page, make(size * 1024), way));
    const tasks = works.map(({ longestTaskMs }) => longestTaskMs);
    const totals = works.map(({ totalMs }) => totalMs);
    const ratio = (totals[3] ?? 0) / (totals[1] ?? 1);
    const note = `work of 16 kB by 4 kB ${ratio.toFixed(1)} times; tasks ${tasks.map((ms) => ms.toFixed(0)).join(', ')} ms`;
    figures.push({ measure: `${way}: ${name}`, value: Math.max(...tasks), unit: 'ms', note });
    ratios.push({ measure: `${way}, steepest work of 16 kB by 4 kB`, value: ratio, unit: 'times', note: name });
    // All of them take half an hour.
    process.stderr.write(`${way} ${name}: ${note}\n`);
  }
  const longest = figures.toSorted((a, b) => b.value - a.value).slice(0, 1);
  return [
    ...figures,
    ...longest.map((figure) => ({ ...figure, measure: `${way}, longest task of all`, note: figure.measure })),
    ...ratios.toSorted((a, b) => b.value - a.value).slice(0, 1),
  ];
}

async function openSlowPage(client: ScriptedClient): Promise<Page> {
  const page = await client.openPage({ path: '/chat', status: 'unlocked', reducedMotion: true });
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowedBy });
  // The first answers compile what the others use.
  const usual = '# Title\n\nWords *and* `code`.\n\n- a\n- b\n\n| a |\n|---|\n| b |\n\n```ts\nconst a = 1;\n```\n\n';
  for (let round = 0; round < 3; round += 1) await renderAnswer(page, usual.repeat(10), 'opened');
  return page;
}

async function renderAnswer(page: Page, text: string, way: Way): Promise<Work> {
  const id = await page.evaluate(
    (answer) => window.vault.addConversation('Hostile', [['A question', answer]]),
    way === 'opened' ? text : 'An answer.',
  );
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser.');
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline', 'toplevel'] });
  await showConversation(page, id);
  if (way === 'streamed') await streamAnswer(page, id, text);
  await untilNothingChanges(page);
  return workOf(await readTrace(browser));
}

async function readTrace(browser: Browser): Promise<readonly TraceEvent[]> {
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  return trace.traceEvents;
}

function workOf(events: readonly TraceEvent[]): Work {
  const tasks = events.flatMap(({ ph, name, tdur }) => (ph === 'X' && name === 'RunTask' ? [(tdur ?? 0) / 1000] : []));
  return { longestTaskMs: Math.max(0, ...tasks), totalMs: tasks.reduce((sum, each) => sum + each, 0) };
}

/** Everything is mounted once neither elements nor height change for some frames. */
async function untilNothingChanges(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const log = document.querySelector('[role="log"]');
    let [quiet, before] = [0, ''];
    while (quiet < 5) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const now = `${log?.querySelectorAll('*').length} ${log?.scrollHeight}`;
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  });
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
