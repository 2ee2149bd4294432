import { writeFile } from 'node:fs/promises';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { makeDocumentVectors } from './making/document-vectors.ts';
import { makeTurnVectors } from './making/turn-vectors.ts';
import { makeEvidenceVectors } from './making/evidence-vectors.ts';
import { makeKeyslot2Vectors } from './making/keyslot-2-vectors.ts';
import { makeModalVectors } from './making/modal-vectors.ts';
import { makeNoteVectors } from './making/note-vectors.ts';
import { makePreferenceVectors } from './making/preference-vectors.ts';
import { makeRequest2Vectors } from './making/request-2-vectors.ts';
import { makeVaultVectors } from './making/sotto-v1/sotto-v1.ts';

/*
 * Writes the frozen vectors again. They are deterministic: a difference afterwards is a change of the format, which needs
 * a new version in SPEC.md §1.2 and never only a new file.
 */
const files: Readonly<Record<string, () => unknown>> = {
  'sotto-v1.json': makeVaultVectors,
  'sotto-v1-turn.json': makeTurnVectors,
  'sotto-v1-evidence.json': makeEvidenceVectors,
  'sotto-v1-modal.json': makeModalVectors,
  'sotto-v1-coded-document.json': makeDocumentVectors,
  'sotto-v1-keyslot-2.json': makeKeyslot2Vectors,
  'sotto-v1-note.json': makeNoteVectors,
  'sotto-v1-preference.json': makePreferenceVectors,
  'sotto-v1-request-2.json': makeRequest2Vectors,
};

await aeadReady();
for (const [name, make] of Object.entries(files)) {
  await writeFile(new URL(name, import.meta.url), `${JSON.stringify(await make(), null, 1)}\n`);
  console.log(`wrote test/vectors/${name}`);
}
