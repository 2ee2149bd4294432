/** The launcher's end of the line, where there is one. */
export class ParentChannel {
  /** True if a launcher looks after this process. It then also says when to stop. */
  get isOpen(): boolean {
    return process.connected === true;
  }

  send(message: { type: 'ready'; port: number } | { type: 'status' | 'failed'; text: string }): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected !== true || process.send === undefined) return resolve();
      process.send(message, undefined, {}, () => resolve());
    });
  }

  /**
   * Calls back once: on the launcher's word, when the launcher is gone, or, without one, on a signal. A terminal sends
   * Ctrl-C to the whole group, so while the channel is open signals are the launcher's business.
   */
  onStop(callback: () => void): void {
    let isCalled = false;
    const stop = () => {
      if (isCalled) return;
      isCalled = true;
      callback();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!this.isOpen) stop();
      });
    }
    process.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop') stop();
    });
    process.on('disconnect', stop);
  }

  /** Lets the process end. */
  close(): void {
    if (process.connected === true) process.disconnect();
  }
}
