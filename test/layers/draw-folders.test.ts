import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { architecturePath, drawFolders, withDrawing } from './draw-folders.ts';
import { readSourceFiles } from './source-files.ts';

test('the drawing in docs/ARCHITECTURE.md shows the folders as they are: else run node test/layers/draw-folders.ts', () => {
  const document = readFileSync(architecturePath, 'utf8');
  expect(withDrawing(document, drawFolders(readSourceFiles()))).toBe(document);
});

test('no arrow of the drawing runs back: a line imports lines below it alone', () => {
  const rooms = drawFolders(readSourceFiles())
    .split('\n\n')
    .map((room) => room.split('\n').slice(1));
  expect(rooms.length).toBeGreaterThan(3);
  expect(rooms.flatMap(arrowsBack)).toEqual([]);
});

test('drawFolders: each line names what it imports of its room, and behind the bar what of others', () => {
  const files = new Map([
    ['server/turns/start.ts', `import '../api/route.ts'; import type { Item } from '../../crypto/vault/item.ts';`],
    ['server/api/route.ts', ''],
    ['server/main.ts', `import './turns/start.ts';`],
    ['crypto/vault/item.ts', ''],
  ]);
  expect(drawFolders(files)).toBe(
    ['server/', '  main.ts → turns', '  turns   → api | crypto/vault', '  api', '', 'crypto/', '  vault'].join('\n'),
  );
});

test('drawFolders: a circle of folders gives an arrow that runs back', () => {
  const files = new Map([
    ['server/turns/start.ts', `import '../api/route.ts';`],
    ['server/api/route.ts', `import type { Turn } from '../turns/start.ts';`],
  ]);
  expect(arrowsBack(drawFolders(files).split('\n').slice(1))).toEqual(['api → turns']);
});

function arrowsBack(lines: readonly string[]): string[] {
  const drawn = lines.map((line) => {
    const [name = '', targets = ''] = (line.split(' | ')[0] ?? '').split('→');
    return { name: name.trim(), targets: targets.split(' ').filter((target) => target !== '') };
  });
  const placeOf = new Map(drawn.map(({ name }, place) => [name, place]));
  return drawn.flatMap(({ name, targets }, place) =>
    targets.filter((target) => (placeOf.get(target) ?? -1) <= place).map((target) => `${name} → ${target}`),
  );
}
