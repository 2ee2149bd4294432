import type { Page } from 'playwright-core';

/** A piece of text that does not stand in its column, or a region that nobody can scroll by keyboard. */
export type Misplaced = { readonly what: string; readonly left: number; readonly right: number };

/**
 * Every line of every message against the column of its row. The document's own width shows nothing: the conversation scrolls in a
 * box of its own. Words inside a region that scrolls by itself are measured by the region, which must take the focus.
 */
export function misplacedText(page: Page): Promise<readonly Misplaced[]> {
  return page.evaluate(() => {
    const found: { what: string; left: number; right: number }[] = [];
    const slack = 1;
    const log = document.querySelector('[role="log"]');
    if (log === null) throw new Error('There is no conversation.');
    const scrolls = (element: Element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
    for (const article of log.querySelectorAll('article')) {
      const row = article.parentElement!;
      const style = getComputedStyle(row);
      const box = row.getBoundingClientRect();
      const left = Math.max(0, box.left + Number.parseFloat(style.paddingLeft)) - slack;
      const right = Math.min(innerWidth, box.right - Number.parseFloat(style.paddingRight)) + slack;
      const check = (rect: DOMRect, what: string) => {
        if (rect.width > 0 && (rect.left < left || rect.right > right)) {
          found.push({ what: what.slice(0, 60), left: Math.round(rect.left), right: Math.round(rect.right) });
        }
      };
      const regions = new Set<Element>();
      const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        if (node.textContent!.trim() === '') continue;
        let region = node.parentElement;
        while (region !== null && region !== article && !scrolls(region)) region = region.parentElement;
        if (region !== null && region !== article) {
          regions.add(region);
          continue;
        }
        // Cut by an ellipsis: only the start of a name is shown.
        const cut = node.parentElement!;
        if (getComputedStyle(cut).textOverflow === 'ellipsis') {
          check(cut.getBoundingClientRect(), node.textContent!);
          continue;
        }
        // Word by word: spaces at the end of a line hang out of it by rule.
        for (const { 0: word, index } of node.textContent!.matchAll(/\S+/g)) {
          const range = document.createRange();
          range.setStart(node, index);
          range.setEnd(node, index + word.length);
          for (const rect of range.getClientRects()) check(rect, word);
        }
      }
      for (const region of regions) {
        check(region.getBoundingClientRect(), `<${region.tagName}> ${region.textContent!}`);
        if (region.scrollWidth > region.clientWidth && (region as HTMLElement).tabIndex < 0) {
          found.push({ what: `no keyboard scrolls <${region.tagName}>`, left: 0, right: 0 });
        }
      }
      // Markers of lists have no text of their own: their room is what the list keeps free for them.
      for (const list of article.querySelectorAll<HTMLOListElement>('ol')) {
        const digits = String(list.start + list.children.length - 1).length;
        const room = list.firstElementChild!.getBoundingClientRect().left - box.left;
        const needed = digits * Number.parseFloat(getComputedStyle(list).fontSize) * 0.5;
        if (room < needed) found.push({ what: `a number of ${digits} digits has ${room} px`, left: 0, right: 0 });
      }
    }
    if (log.scrollLeft !== 0 || log.scrollWidth > log.clientWidth + slack) {
      found.push({ what: 'the conversation scrolls sideways', left: 0, right: log.scrollWidth });
    }
    return found;
  });
}
