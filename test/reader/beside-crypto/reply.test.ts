import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { transcriptRung } from '../../../crypto/turn/reply-frame.ts';
import { ReplyOpener } from '../../../crypto/turn/reply-opener.ts';
import {
  recordKinds as writtenKinds,
  encodeEndRecord,
  encodeTextRecord,
  encodeTitleRecord,
} from '../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../crypto/turn/reply-sealer.ts';
import type { JsonObject } from '../protocol/canonical-json.ts';
import { join, u8, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { differences, plain, random, randomText, secret, shown, sortedMembers, variants } from './outcomes.ts';
import { ReplyReader, sealReply, transcriptLength } from '../turn/reply.ts';
import { recordKinds, writeRecord } from '../turn/reply-records.ts';
import { frameClasses } from '../turn/request.ts';
import type { FrameClass } from '../turn/request.ts';

// Keys are drawn while the tests are collected.
await aeadReady();

const times = Array.from({ length: 5 }, (_, index) => index);
const randomClass = (): FrameClass => frameClasses[randomInt(3)]!;

const sampleEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' } as const;

/** Gives what each reader makes of a transcript: the code of each frame, and what came out. */
function readBoth(
  turn: { turnKey: Bytes; turnId: Bytes; requestHash: Bytes },
  header: Bytes,
  frames: readonly Bytes[],
) {
  const mine = new ReplyReader(turn, header);
  const production = new ReplyOpener({
    turnKey: secret('TurnKey', turn.turnKey),
    turnId: turn.turnId,
    requestHash: turn.requestHash,
    header,
  });
  const texts = {
    text: '',
    reasoning: '',
    title: [] as string[],
    notes: [] as JsonObject[],
    summaries: [] as JsonObject[],
  };
  const codeOf = (add: () => unknown): string => {
    try {
      add();
      return 'accepted';
    } catch (error) {
      return String((error as { code?: unknown }).code);
    }
  };
  const codes = frames.map((frame, number) => [
    codeOf(() => mine.add(number, frame)),
    codeOf(() => {
      for (const piece of production.open(number, frame).pieces) {
        if (piece.kind === 'title') texts.title.push(piece.text);
        else if (piece.kind === 'note') texts.notes.push({ ...piece.note });
        else if (piece.kind === 'summary') texts.summaries.push({ ...piece.summary });
        else if (piece.kind !== 'end') texts[piece.kind] += piece.text;
      }
    }),
  ]);
  return {
    codes,
    mine: {
      text: mine.records.text,
      reasoning: mine.records.reasoning,
      title: mine.records.titles,
      notes: mine.records.notes,
      summaries: mine.records.summaries,
      end: mine.records.end,
      isFinal: mine.isFinal,
      hash: mine.transcriptHash(),
    },
    production: { ...texts, end: production.end, isFinal: production.isFinal, hash: production.transcriptHash() },
  };
}

describe.each(times)('replies, random input %i', () => {
  const turn = { turnKey: random(32), turnId: random(16), requestHash: random(32) };
  const start = { frameClass: randomClass(), keyId: random(32), salt: random(32) };
  const text = utf8(`${randomText(3000)}.`);
  const reasoning = utf8(`${randomText(300)}.`);
  const cut = randomInt(text.length);
  const records = join(
    encodeTextRecord('reasoning', reasoning),
    ...(cut === 0 ? [] : [encodeTextRecord('text', text.slice(0, cut))]),
    encodeTitleRecord('A title'),
    writeRecord(recordKinds.text, text.slice(cut)),
    encodeEndRecord(sampleEnd),
  );

  test('the reader writes, both read', () => {
    const { header, frames } = sealReply(turn, start, records);
    const { codes, mine, production } = readBoth(turn, header, [...frames, frames[0]!]);
    expect(mine).toEqual(production);
    expect(mine).toMatchObject({ isFinal: true, end: sampleEnd, title: ['A title'] });
    expect([utf8(mine.text), utf8(mine.reasoning)]).toEqual([text, reasoning]);
    expect(codes).toEqual([...frames.map(() => ['accepted', 'accepted']), ['stream-ended', 'stream-ended']]);
  });

  test('production writes, both read', () => {
    const { salt: _, ...context } = start;
    const sealer = new ReplySealer({
      ...context,
      turnKey: secret('TurnKey', turn.turnKey),
      turnId: turn.turnId,
      requestHash: turn.requestHash,
    });
    const pieces = records.length < 200 ? [records] : [records.slice(0, 101), zeros(0), records.slice(101, 200)];
    const frames = pieces.map((piece) => sealer.sealFrame(plain(piece)));
    for (let place = 200; place < records.length; place += 250) {
      frames.push(sealer.sealFrame(plain(records.slice(place, place + 250))));
    }
    frames.push(sealer.sealFrame(zeros(0)), sealer.sealFinal());
    const { codes, mine, production } = readBoth(turn, sealer.header, frames);
    expect(mine).toEqual(production);
    expect(mine).toMatchObject({ isFinal: true, end: sampleEnd });
    expect(codes).toEqual(frames.map(() => ['accepted', 'accepted']));
    const readers = {
      mine: (header: Bytes) => new ReplyReader(turn, header).isFinal,
      production: (header: Bytes) =>
        new ReplyOpener({ ...turn, turnKey: secret('TurnKey', turn.turnKey), header }).isFinal,
    };
    expect(differences(variants(sealer.header), readers)).toEqual([]);
  });

  test('frames that do not open, gaps and doubles: both refuse alike, and go on', () => {
    const { header, frames } = sealReply(turn, start, records);
    const shuffled = [frames[1]!, frames[0]!.slice(1), zeros(frames[0]!.length), frames[0]!, frames[0]!];
    const { codes } = readBoth(turn, header, shuffled);
    expect(codes.map(([mine]) => mine)).toEqual(codes.map(([, production]) => production));
    const [first] = readBoth(turn, header, [frames[0]!]).codes;
    expect(first).toEqual(['accepted', 'accepted']);
  });
});

test('records: both say the same of each sequence', () => {
  const end = writeRecord(recordKinds.end, encodeEndRecord(sampleEnd).slice(5));
  const endOf = (value: object): Bytes => writeRecord(recordKinds.end, utf8(JSON.stringify(sortedMembers(value))));
  const noteOf = (note: object): Bytes => writeRecord(recordKinds.note, utf8(JSON.stringify(sortedMembers(note))));
  const a = utf8('a');
  const cases: [string, Bytes][] = [
    ['END alone', end],
    ['no END', writeRecord(1, a)],
    ['kind 0', join(writeRecord(0, a), end)],
    ['kind 5', join(writeRecord(5, a), end)],
    ['kind 127', join(writeRecord(127, a), end)],
    ['kind 128', join(writeRecord(128, a), end)],
    ['kind 255 with any bytes', join(writeRecord(255, Uint8Array.of(0xff)), writeRecord(1, a), end)],
    ['kind 128, empty', join(writeRecord(128, zeros(0)), end)],
    ['kind 128, 65,536', join(writeRecord(128, zeros(65_536)), end)],
    ['kind 128, 65,537', join(writeRecord(128, zeros(65_537)), end)],
    ['text, empty', join(writeRecord(1, zeros(0)), end)],
    ['text, 65,536', join(writeRecord(1, zeros(65_536).fill(97)), end)],
    ['text, 65,537', join(writeRecord(1, zeros(65_537).fill(97)), end)],
    ['text, not UTF-8', join(writeRecord(1, Uint8Array.of(0xff)), end)],
    ['text, a surrogate', join(writeRecord(1, Uint8Array.of(0xed, 0xa0, 0x80)), end)],
    [
      'text, a character over two records',
      join(writeRecord(1, utf8('é').slice(0, 1)), writeRecord(1, utf8('é').slice(1)), end),
    ],
    [
      'text, a character over two kinds',
      join(writeRecord(1, utf8('é').slice(0, 1)), writeRecord(2, utf8('é').slice(1)), end),
    ],
    [
      'interleaved characters',
      join(
        writeRecord(1, utf8('é').slice(0, 1)),
        writeRecord(2, utf8('ü').slice(0, 1)),
        writeRecord(1, utf8('é').slice(1)),
        writeRecord(2, utf8('ü').slice(1)),
        end,
      ),
    ],
    ['text, a character cut at END', join(writeRecord(1, utf8('é').slice(0, 1)), end)],
    ['reasoning, a character cut at END', join(writeRecord(2, utf8('é').slice(0, 1)), end)],
    ['a byte order mark', join(writeRecord(1, utf8('\ufeffa')), writeRecord(2, utf8('\ufeffb')), end)],
    ['title, 200', join(writeRecord(4, utf8('t'.repeat(200))), end)],
    ['title, 201', join(writeRecord(4, utf8('t'.repeat(201))), end)],
    ['title, 200 of three bytes', join(writeRecord(4, utf8('€'.repeat(200))), end)],
    ['title, 100 of four bytes', join(writeRecord(4, utf8('😀'.repeat(100))), end)],
    ['title, 101 of four bytes', join(writeRecord(4, utf8('😀'.repeat(101))), end)],
    ['title, 801 bytes', join(writeRecord(4, zeros(801)), end)],
    ['title, empty', join(writeRecord(4, zeros(0)), end)],
    ['title, cut character', join(writeRecord(4, utf8('é').slice(0, 1)), end)],
    ['title, byte order mark', join(writeRecord(4, utf8('\ufefft')), end)],
    ['title, twice', join(writeRecord(4, a), writeRecord(4, utf8('b')), end)],
    ...[
      { kind: 'cause', cause: 'model-loading' },
      { kind: 'cause', cause: 'no-answer' },
      { kind: 'cause', cause: 'of a later version' },
      { kind: 'cause', cause: null },
      { kind: 'cause' },
      { kind: 'left-out', messages: 1 },
      { kind: 'left-out', messages: 10_000 },
      { kind: 'left-out', messages: 10_001 },
      { kind: 'left-out', messages: 0 },
      { kind: 'left-out', messages: 1.5 },
      { kind: 'text-was-reasoning' },
      { kind: 'text-was-reasoning', more: 1 },
      { kind: 'of a later version' },
      [],
    ].map((note): [string, Bytes] => [`note, ${JSON.stringify(note)}`, join(writeRecord(1, a), noteOf(note), end)]),
    ['note, not canonical', join(writeRecord(128, utf8('{ "kind":"text-was-reasoning"}')), end)],
    ['note, 1,024 and 1,025', join(writeRecord(128, zeros(1024)), writeRecord(128, zeros(1025)), end)],
    ...[
      { covered: 'A'.repeat(43), text: 'So far.' },
      { covered: 'A'.repeat(43), text: 'a'.repeat(8_000) },
      { covered: 'A'.repeat(43), text: 'a'.repeat(8_001) },
      { covered: 'A'.repeat(43), text: '' },
      { covered: `${'A'.repeat(42)}B`, text: 'So far.' },
      { text: 'So far.' },
      { covered: 'A'.repeat(43), text: 'So far.', more: 1 },
    ].map((summary): [string, Bytes] => [
      `summary, ${JSON.stringify(summary).slice(0, 90)}`,
      join(writeRecord(1, a), writeRecord(recordKinds.summary, utf8(JSON.stringify(sortedMembers(summary)))), end),
    ]),
    ['summary, 32,768 and 32,769', join(writeRecord(129, zeros(32_768)), writeRecord(129, zeros(32_769)), end)],
    ['text behind END', join(end, writeRecord(1, a))],
    ['END twice', join(end, end)],
    ['half a record behind END', join(end, u8(1))],
    ['END cut', end.slice(0, -1)],
    ['END, 1,025 bytes', writeRecord(3, zeros(1025))],
    ['END, no JSON', writeRecord(3, a)],
    [
      'END, not canonical',
      writeRecord(3, utf8(JSON.stringify({ outcome: 'complete', code: null, usage: null, model: 'm', engine: 'e' }))),
    ],
    ...[
      { outcome: 'cut-off' },
      { outcome: 'busy' },
      { code: 'model-failed' },
      { code: 'other' },
      { usage: { promptTokens: 1, replyTokens: 0 } },
      { usage: { promptTokens: 1 } },
      { usage: { promptTokens: 0.5, replyTokens: 0 } },
      { model: '' },
      { model: 'm'.repeat(128) },
      { model: 'm'.repeat(129) },
      { model: 'a b' },
      { engine: '' },
      { engine: 'e'.repeat(32) },
      { engine: 'e'.repeat(33) },
      { other: 1 },
    ].map((changed): [string, Bytes] => [`END, ${JSON.stringify(changed)}`, endOf({ ...sampleEnd, ...changed })]),
  ];
  const turn = { turnKey: random(32), turnId: random(16), requestHash: random(32) };
  const found = cases.map(([name, records]) => {
    const { header, frames } = sealReply(turn, { frameClass: 'bulk', keyId: random(32), salt: random(32) }, records);
    return { name, ...readBoth(turn, header, frames) };
  });
  const same = (value: unknown): string => JSON.stringify(shown(value));
  const unlike = found.filter(
    ({ codes, mine, production }) => codes.some(([ours, theirs]) => ours !== theirs) || same(mine) !== same(production),
  );
  const brief = ({ text, reasoning, title, notes, summaries, end, isFinal }: (typeof unlike)[number]['mine']): string =>
    JSON.stringify([text.slice(0, 9), reasoning.slice(0, 9), title, notes, summaries, end, isFinal]);
  expect(
    unlike.map(
      ({ name, codes, mine, production }) => `${name}: ${codes.join(' ')} ${brief(mine)} ${brief(production)}`,
    ),
  ).toEqual([]);
});

test.each(frameClasses)('rungs: of %s', (frameClass) => {
  const needed = Array.from({ length: 3000 }, (_, index) => index + 1);
  expect(needed.map((count) => transcriptLength(frameClass, count))).toEqual(
    needed.map((count) => transcriptRung(frameClass, count)),
  );
});

test('kinds of records: SPEC.md §8.3 has each one that crypto writes, and the reader knows it', () => {
  const specification = readFileSync(joinPath(import.meta.dirname, '../../../crypto/SPEC.md'), 'utf8');
  const section = /^### §8\.3 .*?(?=^##)/ms.exec(specification)?.[0] ?? '';
  const described = [...section.matchAll(/^\| (\d+) \| (\w+) \|/gm)].map(([, kind, name]) => [
    name?.toLowerCase(),
    Number(kind),
  ]);
  expect(Object.fromEntries(described)).toEqual(writtenKinds);
  expect(recordKinds).toEqual(writtenKinds);
});
