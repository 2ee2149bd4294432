import { describe, expect, test } from 'vitest';
import {
  changeText,
  engineText,
  loadingText,
  noteText,
  protectionSentence,
} from '../../../../../client/page/texts/of-values/protection-texts.ts';
import { elapsedText } from '../../../../../client/page/shell/lines/starting-line.tsx';
import { refusalText } from '../../../../../client/page/texts/of-values/refusal-texts.ts';
import { refusalCodes } from '../../../../../crypto/evidence/policy/evidence-step.ts';
import type { EnclaveView } from '../../../../../client/vault/api/vault-api.ts';
import { developmentEnclave } from '../../../../parts/vault/scripted-client/scripted-contents.ts';

type Verified = Extract<EnclaveView, { kind: 'verified' }>;
const verified = developmentEnclave as Verified;
const withStatus = (status: Partial<Verified['status']>, more: Partial<Verified> = {}): EnclaveView => ({
  ...verified,
  ...more,
  status: { ...verified.status, ...status },
});
const next = { model: 'unsloth/Qwen3.5-0.8B-GGUF', receivedBytes: 400, totalBytes: 1000 };

describe('engineText', () => {
  test('rehearsal while a model is fetched: which, why and how far', () => {
    expect(engineText(withStatus({ next }))).toBe(
      'Rehearsal engine: no model is loaded yet; downloading Qwen3.5-0.8B-GGUF… 40%',
    );
    expect(engineText(withStatus({ reason: 'model-loading', next: { ...next, totalBytes: null } }))).toBe(
      'Rehearsal engine: the model is being loaded; loading Qwen3.5-0.8B-GGUF…',
    );
  });

  test('rehearsal that stays says why; a model that simply answers needs no words', () => {
    expect(engineText(withStatus({ reason: 'download-failed', next: null }))).toBe(
      'Rehearsal engine: the model could not be downloaded',
    );
    expect(engineText(withStatus({ reason: 'model-file-here', next: null }, { engine: 'gguf' }))).toBeNull();
    expect(engineText({ kind: 'connecting' })).toBeNull();
  });
});

describe('loadingText', () => {
  test('only while nothing can answer', () => {
    expect(loadingText(withStatus({ state: 'loading', next }))).toBe('Model loading 40%');
    expect(loadingText(withStatus({ state: 'loading', next: null }))).toBe('Model loading');
    expect(loadingText(withStatus({ state: 'ready', next }))).toBeNull();
  });
});

describe('protectionSentence', () => {
  test('the sentence of the evidence, or how far the way to it is', () => {
    expect(protectionSentence(verified)).toBe('No protection from whoever runs this machine.');
    expect(protectionSentence({ kind: 'connecting' })).toBe('Connecting to the enclave');
    expect(protectionSentence({ kind: 'unreachable', failure: { code: 'enclave-unreachable' } })).toBe(
      'The relay cannot reach the enclave.',
    );
  });
});

describe('refusalText', () => {
  test('every reason has a sentence of what failed, and one of what can be done', () => {
    const texts = refusalCodes.map((code) => refusalText({ code }));
    for (const { what, advice } of texts) {
      expect(what).toMatch(/^[a-z].*\.$/);
      expect(advice).toMatch(/^[A-Z].*\.$/);
    }
    expect(new Set(texts.map(({ what }) => what)).size).toBe(refusalCodes.length);
    const view = { kind: 'refused', code: 'debug', steps: [], withoutMinimum: null } as const;
    expect(protectionSentence(view)).toBe(
      'Nothing is sent: the machine runs in debug mode, in which its owner can look inside.',
    );
  });
});

describe('lines between messages', () => {
  const before = { kind: 'sev-snp', level: 'hardware', model: 'a/m', measurement: 'aa', release: '1.0.0' } as const;

  test('lines between messages name each change once, and nothing else', () => {
    expect(changeText(before, before)).toBe('');
    expect(changeText(before, { ...before, release: '1.1.0', measurement: 'bb' })).toBe('release 1.1.0');
    expect(changeText(before, { ...before, model: 'a/n' })).toBe('model n instead of m');
    expect(changeText(before, { ...before, kind: 'modal', level: 'stated', measurement: null, release: null })).toBe(
      'the operator’s statement (Modal) instead of AMD hardware',
    );
    expect(changeText(before, { ...before, level: 'hardware-gpu' })).toBe(
      'AMD hardware with a verified GPU instead of AMD hardware',
    );
    const note = { kind: 'enclave-changed', before, after: { ...before, model: 'a/n' } } as const;
    expect(noteText(note)).toBe('Another enclave answers from here: model n instead of m.');
  });

  test('a lowered minimum is said with its day', () => {
    const note = { kind: 'minimum-set', level: 'stated', atMs: Date.UTC(2026, 4, 1, 12), isLower: true } as const;
    expect(noteText(note)).toMatch(
      /^You lowered the minimum for this conversation to at least the operator’s statement on .*2026.*\.$/,
    );
    expect(noteText({ ...note, isLower: false })).toMatch(/^You set the minimum/);
  });
});

test.each([
  [0, '0\u00A0s'],
  [59_999, '59\u00A0s'],
  [67_000, '1:07'],
  [-5, '0\u00A0s'],
])('elapsedText: %i ms', (elapsedMs, text) => {
  expect(elapsedText(elapsedMs)).toBe(text);
});
