import { tsmFolder } from './hardware/tsm-report.ts';
import type { EvidenceProblem } from './source/evidence-source.ts';

/** For whoever watches the terminal: what is wrong, and what to look at. */
export const problemTexts: Readonly<Record<EvidenceProblem, string>> = {
  'no-interface': `this machine has no ${tsmFolder} (Linux 6.7 or later in a confidential VM, configfs mounted)`,
  'no-provider': 'no driver of this machine gives reports (sev-guest or tdx-guest must be loaded)',
  'wrong-provider': 'this machine is of another kind than EVIDENCE says',
  'not-permitted': `the worker may not write to ${tsmFolder}`,
  interrupted: 'the report was disturbed each time',
  'too-large': 'what came is longer than evidence may be',
  malformed: 'what came is no evidence about this worker',
  'tool-missing': 'there is no command at EVIDENCE_GPU_TOOL that can be run',
  'tool-failed': 'the command at EVIDENCE_GPU_TOOL failed',
  'tool-slow': 'the command at EVIDENCE_GPU_TOOL did not end in time',
  'registrar-unreachable': 'the registrar (REGISTRAR_URL) does not answer, or cannot now',
  'registrar-refused': 'the registrar (REGISTRAR_URL) refused this container',
  slow: 'the machine did not answer in time',
  failed: 'the machine gave none',
};
