/** Parts of a rendered reply that belong to the page, not to the reply. */
const notContent = '[data-no-copy], button, svg';
const ownAttributes = ['class', 'style', 'dir', 'tabindex', 'role', 'aria-label'];

/** Puts a reply on the clipboard twice: as the Markdown it is, and formatted for word processors. */
export async function copyMessage(markdown: string, rendered: HTMLElement | null): Promise<void> {
  const copiesFormatted = typeof ClipboardItem === 'function' && typeof navigator.clipboard.write === 'function';
  if (rendered === null || !copiesFormatted) {
    await navigator.clipboard.writeText(markdown);
    return;
  }
  const contents = {
    'text/plain': new Blob([markdown], { type: 'text/plain' }),
    'text/html': new Blob([cleanHtml(rendered)], { type: 'text/html' }),
  };
  await navigator.clipboard.write([new ClipboardItem(contents)]);
}

function cleanHtml(rendered: HTMLElement): string {
  const copy = rendered.cloneNode(true) as HTMLElement;
  for (const element of copy.querySelectorAll(notContent)) element.remove();
  for (const element of copy.querySelectorAll('*')) for (const name of ownAttributes) element.removeAttribute(name);
  return copy.innerHTML;
}
