/** A file or a link that is dropped anywhere never takes the page away: what is typed in it would go too. */
export function stayOnDrop(): void {
  const stay = (event: DragEvent) => {
    // Text goes into the field that it is dropped on.
    const isText =
      event.dataTransfer !== null && [...event.dataTransfer.types].every((type) => /^text\/(plain|html)$/.test(type));
    if (!isText) event.preventDefault();
  };
  window.addEventListener('dragover', stay);
  window.addEventListener('drop', stay);
}
