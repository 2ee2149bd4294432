import type {
  AssistantMessage,
  ChatMessage,
  ConversationSummary,
  EnclaveView,
  FailureCode,
  MinimumView,
  UserMessage,
  VaultApi,
  VaultEvent,
  VaultFailure,
} from '../../../../client/vault/api/vault-api.ts';

/** The page's end of one tab: what it was told so far, put together as the page does it. */
export class VaultTab {
  readonly vault: VaultApi;
  readonly events: VaultEvent[] = [];
  readonly messages = new Map<string, ChatMessage[]>();
  readonly alarms: FailureCode[] = [];
  /** The failures that held its start up, and null each time that it went on. */
  readonly heldUpBy: (FailureCode | null)[] = [];
  /** Messages that came by themselves, and that no list had named. */
  readonly strays: string[] = [];
  conversations: readonly ConversationSummary[] = [];
  returned: readonly string[] = [];
  enclave: EnclaveView = { kind: 'idle' };
  minimum: MinimumView | null = null;
  connection = 'connecting';
  theme = 'system';
  status = 'starting';
  needsNewPassword = false;
  isEnded = false;
  #isAbandoned = false;

  constructor(create: (onEnd: () => void) => VaultApi) {
    this.vault = create(() => {
      this.isEnded = true;
    });
  }

  start(): Promise<void> {
    return this.vault.start((event) => {
      if (!this.#isAbandoned) this.#take(event);
    });
  }

  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Asks, and waits until the question is kept. */
  async ask(text: string, conversationId: string | null = null): Promise<{ conversationId: string; turnId: string }> {
    return this.vault.send({ conversationId, text });
  }

  question(turnId: string): UserMessage {
    const found = [...this.messages.values()]
      .flat()
      .find((message) => message.turnId === turnId && message.role === 'user');
    if (found?.role !== 'user') throw new Error('This tab shows no such question.');
    return found;
  }

  answer(turnId: string): AssistantMessage {
    const found = [...this.messages.values()]
      .flat()
      .find((message) => message.turnId === turnId && message.role === 'assistant');
    if (found?.role !== 'assistant') throw new Error('This tab shows no such answer.');
    return found;
  }

  stateOf(turnId: string): string {
    return this.answer(turnId).state.kind;
  }

  /** Waits for the end of an answer, whatever the end is. */
  async ended(turnId: string): Promise<AssistantMessage> {
    await this.until(() => ['ended', 'unsent', 'missing'].includes(this.stateOf(turnId)));
    return this.answer(turnId);
  }

  texts(conversationId: string): string[] {
    return (this.messages.get(conversationId) ?? []).map((message) => message.text);
  }

  /** One that this build cannot read has none. */
  titles(): string[] {
    return this.conversations.map(({ title }) => title ?? '');
  }

  /** Waits for something that the page would show; says what it shows instead when it does not come. */
  async until(condition: () => boolean, timeout = 90_000): Promise<void> {
    const deadline = performance.now() + timeout;
    for (;;) {
      if (isMet(condition)) return;
      if (performance.now() > deadline) {
        throw new Error(`It did not come: ${condition.toString()}\n${this.#describe()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Gives the failure by which a call is refused; fails when it is not. */
  async refusal(call: Promise<unknown>): Promise<VaultFailure> {
    try {
      await call;
    } catch (failure) {
      return failure as VaultFailure;
    }
    throw new Error('The call was not refused.');
  }

  #describe(): string {
    const states = [...this.messages.values()]
      .flat()
      .map((message) => (message.role === 'user' ? message.text : message.state));
    const { status, connection, alarms, enclave } = this;
    return JSON.stringify({
      status,
      connection,
      alarms,
      enclave: enclave.kind === 'unreachable' ? enclave : enclave.kind,
      titles: this.titles(),
      states,
    });
  }

  #take(event: VaultEvent): void {
    this.events.push(event);
    switch (event.type) {
      case 'session':
        this.status = event.status;
        this.needsNewPassword = event.needsNewPassword;
        break;
      case 'connection':
        this.connection = event.status;
        break;
      case 'held-up':
        this.heldUpBy.push(event.by);
        break;
      case 'conversations':
        this.conversations = event.conversations;
        break;
      case 'messages':
        this.messages.set(event.conversationId, [...event.messages]);
        break;
      case 'message':
        this.#putMessage(event.conversationId, event.message);
        break;
      case 'delta':
        this.#grow(event);
        break;
      case 'enclave':
        this.enclave = event.view;
        break;
      case 'view':
        if (event.name === 'minimum') this.minimum = event.value;
        if (event.name === 'theme') this.theme = event.value;
        if (event.name === 'returned') this.returned = event.value.map(({ text }) => text);
        break;
      case 'alarm':
        this.alarms.push(event.code);
    }
  }

  #putMessage(conversationId: string, message: ChatMessage): void {
    const known = this.messages.get(conversationId) ?? [];
    const place = known.findIndex(({ id }) => id === message.id);
    if (place < 0) this.strays.push(message.id);
    else this.messages.set(conversationId, known.with(place, message));
  }

  #grow({ conversationId, messageId, text, reasoning }: Extract<VaultEvent, { type: 'delta' }>): void {
    const known = this.messages.get(conversationId) ?? [];
    const grown = known.map((message) =>
      message.id === messageId && message.role === 'assistant'
        ? { ...message, text: message.text + text, reasoning: message.reasoning + reasoning }
        : message,
    );
    this.messages.set(conversationId, grown);
  }
}

/** A condition on something that is not there yet is not met either. */
function isMet(condition: () => boolean): boolean {
  try {
    return condition();
  } catch {
    return false;
  }
}
