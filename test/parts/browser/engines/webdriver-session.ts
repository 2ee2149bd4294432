/** An element's own member in answers (W3C WebDriver, "Elements"). */
const elementKey = 'element-6066-11e4-a52e-4f735466cecf';

/** A session of classic WebDriver (W3C): one HTTP call for each command. */
export class WebDriverSession {
  readonly #address: string;
  /** A session has one current tab: what belongs together is asked without another in between. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(address: string) {
    this.#address = address;
  }

  /** @param driver - Address of the driver. */
  static async start(driver: string, capabilities: object): Promise<WebDriverSession> {
    const body = { capabilities: { alwaysMatch: capabilities } };
    const { sessionId } = (await send('POST', `${driver}/session`, body)) as { sessionId: string };
    return new WebDriverSession(`${driver}/session/${sessionId}`);
  }

  /** @throws {Error} with the driver's own words. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    return send(method, `${this.#address}${path}`, body);
  }

  /** Does something in one tab, one caller after another. */
  inTab<T>(handle: string, work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      await this.call('POST', '/window', { handle });
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** @returns ids of the elements, in the order of the document. */
  async find(selector: string): Promise<string[]> {
    const found = await this.call('POST', '/elements', { using: 'css selector', value: selector });
    return (found as Record<string, string>[]).flatMap((element) => element[elementKey] ?? []);
  }

  /** @param script - The body of a function. */
  execute(script: string, elements: readonly string[] = []): Promise<unknown> {
    const parameters = elements.map((id) => ({ [elementKey]: id }));
    return this.call('POST', '/execute/sync', { script, args: parameters });
  }
}

async function send(method: string, address: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(address, {
    method,
    headers,
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
  });
  const { value } = (await answer.json()) as { value: unknown };
  if (answer.ok) return value;
  const { error = '', message = '' } = (value ?? {}) as { error?: string; message?: string };
  throw new Error(`${method} ${new URL(address).pathname}: ${error} ${message}`);
}
