import type {
  AssistantMessage,
  ChatMessage,
  ConversationNote,
  ConversationSummary,
  EnclaveView,
  MinimumView,
  ProtectionLevel,
  RelayView,
  ReplyState,
  SessionStatus,
  VaultApi,
  VaultCommands,
  VaultFace,
  VaultEvent,
  VaultFailure,
} from '../../../../client/vault/api/vault-api.ts';
import { developmentEnclave, makeTurn, recoveryWords, relayViewOf, verificationOf } from './scripted-contents.ts';

type Call = { readonly name: keyof VaultApi; readonly input: unknown };
type Thread = { summary: ConversationSummary; messages: ChatMessage[] };

/** 22 characters, as an id has, from a number. */
export function scriptedId(number: number): string {
  return `conversation-or-item-${String(number).padStart(1, '0')}`.slice(-22).padStart(22, 'A');
}

/** A vault that does what a test says: state in memory of the page, nothing sealed, every call noted. */
export class ScriptedVault implements VaultFace {
  readonly calls: Call[] = [];
  readonly drafts = new Map<string, string>();
  /** Turns whose words another tab put into its draft. */
  readonly takenElsewhere = new Set<string>();
  /** The next call of this name rejects with it. */
  readonly failures = new Map<keyof VaultApi, VaultFailure>();
  enclave: EnclaveView = developmentEnclave;
  minimum: MinimumView = { account: null, conversation: null, effective: 'any', strongest: 'hardware-gpu' };
  #emit: (event: VaultEvent) => void = () => undefined;
  #status: SessionStatus = (sessionStorage.getItem('scripted-status') as SessionStatus | null) ?? 'signed-out';
  #needsNewPassword = false;
  #threads = new Map<string, Thread>();
  #next = 1;

  emit(event: VaultEvent): void {
    this.#emit(event);
  }

  start(onEvent: (event: VaultEvent) => void): Promise<void> {
    this.#emit = onEvent;
    this.#session(this.#status);
    this.#emit({ type: 'connection', status: 'connected' });
    return Promise.resolve();
  }

  noteNetwork(input: { isOnline: boolean; isSeen: boolean }) {
    return this.#called('noteNetwork', input, () => undefined);
  }
  beginSignUp(input: { userName: string; password: string }) {
    return this.#called('beginSignUp', input, () => ({ recoveryWords }));
  }
  finishSignUp() {
    return this.#called('finishSignUp', null, () => this.#session('unlocked'));
  }
  cancelSignUp() {
    return this.#called('cancelSignUp', null, () => undefined);
  }
  signIn(input: Parameters<VaultApi['signIn']>[0]) {
    return this.#called('signIn', input, () => {
      this.#needsNewPassword ||= input.by === 'phrase';
      this.#session('unlocked');
    });
  }
  unlock(input: Parameters<VaultApi['unlock']>[0]) {
    return this.#called('unlock', input, () => this.#session('unlocked'));
  }
  changePassword(input: Parameters<VaultApi['changePassword']>[0]) {
    return this.#called('changePassword', input, () => {
      this.#needsNewPassword = false;
      this.#session('unlocked');
    });
  }
  lock() {
    return this.#called('lock', null, () => this.#session('locked'));
  }
  signOut() {
    return this.#called('signOut', null, () => this.#session('signed-out'));
  }

  openConversation(input: { conversationId: string | null }) {
    return this.#called('openConversation', input, () => {
      if (input.conversationId !== null) this.#emitMessages(input.conversationId);
      this.#emit({ type: 'enclave', view: this.enclave });
    });
  }
  closeConversation() {
    return this.#called('closeConversation', null, () => undefined);
  }
  renameConversation(input: { conversationId: string; title: string }) {
    return this.#called('renameConversation', input, () =>
      this.changeSummary(input.conversationId, { title: input.title }),
    );
  }
  deleteConversation(input: { conversationId: string }) {
    return this.#called('deleteConversation', input, () => {
      this.#threads.delete(input.conversationId);
      this.#emitConversations();
    });
  }

  send(input: { conversationId: string | null; text: string }) {
    return this.#called('send', input, () => {
      const conversationId = input.conversationId ?? this.addConversation(input.text.slice(0, 40), []);
      const turnId = this.addTurn(conversationId, input.text, { kind: 'connecting' });
      return { conversationId, turnId };
    });
  }
  stop(input: { turnId: string }) {
    return this.#called('stop', input, () => this.endAnswer(input.turnId, 'stopped'));
  }
  retry(input: { conversationId: string; turnId: string }) {
    return this.#called('retry', input, () => this.setAnswerState(input.turnId, { kind: 'waiting' }));
  }
  readDraft(input: { conversationId: string | null }) {
    return this.#called('readDraft', input, () => this.drafts.get(input.conversationId ?? 'new') ?? '');
  }
  writeDraft(input: { conversationId: string | null; text: string; returned?: readonly string[] | undefined }) {
    return this.#called('writeDraft', input, () => {
      const gone = (input.returned ?? []).filter((turnId) => this.takenElsewhere.has(turnId));
      if (gone.length === 0) this.drafts.set(input.conversationId ?? 'new', input.text);
      return gone;
    });
  }
  relayView(input: { conversationId: string }): Promise<RelayView> {
    return this.#called('relayView', input, () => relayViewOf(this.#threads.get(input.conversationId)?.messages ?? []));
  }
  relayBytes(input: { id: string }) {
    return this.#called('relayBytes', input, () =>
      Uint8Array.from({ length: 20_000 }, (_, index) => (index * 97) % 256),
    );
  }
  setMinimum(input: { level: ProtectionLevel }) {
    return this.#called('setMinimum', input, () =>
      this.setMinimumView({ account: { value: input.level, setAtMs: Date.now() }, effective: input.level }),
    );
  }
  setConversationMinimum(input: { conversationId: string | null; level: ProtectionLevel }) {
    return this.#called('setConversationMinimum', input, () =>
      this.setMinimumView({ conversation: { value: input.level, setAtMs: Date.now() }, effective: input.level }),
    );
  }
  readVerification(input: { turnId: string | null }) {
    return this.#called('readVerification', input, () => verificationOf(this.enclave));
  }
  setTheme(input: { theme: 'system' | 'light' | 'dark' }) {
    return this.#called('setTheme', input, () => this.#emit({ type: 'view', name: 'theme', value: input.theme }));
  }

  run({ command, input }: { command: keyof VaultCommands; input: unknown }) {
    // A command that no script plays is noted, and does nothing.
    const played = (this as unknown as Record<string, unknown>)[command];
    if (typeof played === 'function') return (played as (input: unknown) => Promise<never>).call(this, input);
    return this.#called(command, input, () => undefined as never);
  }

  /** The relay, or another device, ends the session. */
  endSession(): void {
    this.#session('signed-out');
  }

  /** Adds a conversation of question and answer pairs, oldest first. */
  addConversation(title: string, pairs: readonly (readonly [string, string])[], ageMs = 0): string {
    const id = scriptedId(this.#next++);
    const atMs = Date.now() - ageMs;
    const summary = { id, title, createdAtMs: atMs, updatedAtMs: atMs, answering: false, stored: true };
    this.#threads.set(id, { summary, messages: [] });
    for (const [question, answer] of pairs) {
      this.addTurn(id, question, { kind: 'ended', outcome: 'complete', code: null, endedEarly: false }, answer, true);
    }
    this.#emitConversations();
    return id;
  }

  addTurn(conversationId: string, question: string, state: ReplyState, answer = '', quiet = false): string {
    const turnId = `turn-${this.#next++}`;
    const thread = this.#threads.get(conversationId)!;
    const parentId = thread.messages.at(-1)?.id ?? null;
    const createdAtMs = thread.summary.updatedAtMs;
    const { asked, reply } = makeTurn({ turnId, parentId, createdAtMs, question, answer, state });
    thread.messages.push(asked, reply);
    if (!quiet) this.#emitMessages(conversationId);
    return turnId;
  }

  setAnswerState(turnId: string, state: ReplyState): void {
    this.#changeAnswer(turnId, (answer) => ({ ...answer, state }));
  }

  note(turnId: string, noted: Partial<Pick<AssistantMessage, 'leftOut' | 'protection' | 'isDocumented'>>): void {
    this.#changeAnswer(turnId, (answer) => ({ ...answer, ...noted }));
  }

  /** Streams what one frame brings. */
  streamText(turnId: string, text: string, reasoning = ''): void {
    const [conversationId, answer] = this.#findAnswer(turnId);
    if (answer.state.kind !== 'streaming') this.setAnswerState(turnId, { kind: 'streaming' });
    const thread = this.#threads.get(conversationId)!;
    thread.messages = thread.messages.map((message) =>
      message.id === answer.id && message.role === 'assistant'
        ? { ...message, text: message.text + text, reasoning: message.reasoning + reasoning }
        : message,
    );
    this.#emit({ type: 'delta', conversationId, messageId: answer.id, text, reasoning });
  }

  endAnswer(
    turnId: string,
    outcome: Extract<ReplyState, { kind: 'ended' }>['outcome'],
    code: string | null = null,
  ): void {
    this.#changeAnswer(turnId, (answer) => ({ ...answer, state: { kind: 'ended', outcome, code, endedEarly: false } }));
  }

  changeSummary(conversationId: string, change: Partial<ConversationSummary>): void {
    const thread = this.#threads.get(conversationId)!;
    thread.summary = { ...thread.summary, ...change };
    this.#emitConversations();
  }

  /** Lines before the question or after the answer of a turn. */
  addNotes(turnId: string, place: 'before' | 'after', notes: readonly ConversationNote[]): void {
    const [conversationId] = this.#findAnswer(turnId);
    const thread = this.#threads.get(conversationId)!;
    thread.messages = thread.messages.map((message) => {
      if (message.turnId !== turnId) return message;
      if (message.role === 'user') return place === 'before' ? { ...message, notesBefore: notes } : message;
      return place === 'after' ? { ...message, notesAfter: notes } : message;
    });
    this.#emitMessages(conversationId);
  }

  setMinimumView(change: Partial<MinimumView>): void {
    this.minimum = { ...this.minimum, ...change };
    this.#emit({ type: 'view', name: 'minimum', value: this.minimum });
  }

  setEnclave(view: EnclaveView): void {
    this.enclave = view;
    this.#emit({ type: 'enclave', view });
  }

  #findAnswer(turnId: string): [string, AssistantMessage] {
    for (const [id, thread] of this.#threads) {
      const answer = thread.messages.find((message) => message.role === 'assistant' && message.turnId === turnId);
      if (answer?.role === 'assistant') return [id, answer];
    }
    throw new Error(`no turn ${turnId}`);
  }

  #changeAnswer(turnId: string, change: (answer: AssistantMessage) => AssistantMessage): void {
    const [conversationId, answer] = this.#findAnswer(turnId);
    const changed = change(answer);
    const thread = this.#threads.get(conversationId)!;
    thread.messages = thread.messages.map((message) => (message.id === answer.id ? changed : message));
    this.#emit({ type: 'message', conversationId, message: changed });
  }

  #session(status: SessionStatus): void {
    this.#status = status;
    sessionStorage.setItem('scripted-status', status);
    this.#emit({ type: 'session', status, needsNewPassword: this.#needsNewPassword });
    if (status === 'unlocked') this.#emitConversations();
  }

  #emitMessages(conversationId: string): void {
    const thread = this.#threads.get(conversationId);
    if (thread === undefined) return;
    this.#emit({ type: 'messages', conversationId, messages: structuredClone(thread.messages) });
  }

  #emitConversations(): void {
    const conversations = [...this.#threads.values()].map(({ summary }) => summary);
    this.#emit({
      type: 'conversations',
      conversations: conversations.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs),
    });
  }

  #called<T>(name: keyof VaultApi, input: unknown, work: () => T): Promise<T> {
    this.calls.push({ name, input });
    const failure = this.failures.get(name);
    this.failures.delete(name);
    // Comlink does so: a rejection with a plain object.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    return failure === undefined ? Promise.resolve(work()) : Promise.reject(failure);
  }
}
