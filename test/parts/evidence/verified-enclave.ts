import type { Clock } from '../../../client/vault/surroundings/clock.ts';
import { ReceivedChoice } from '../../../client/vault/enclave/received-choice.ts';
import { readVerified, type VerifiedEnclave } from '../../../client/vault/enclave/verified-enclave.ts';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { makeAmdMachine } from './amd/amd-machine.ts';
import { testNowMs } from './vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from './hardware-attestation.ts';

const chip = makeAmdMachine();
/** These enclaves are verified against this. */
export const enclavePolicy = hardwarePolicy({ measured: { sevSnp: [chip.measurement], tdx: [] }, sevSnp: chip.policy });
const status = { state: 'ready', reason: 'server-given', next: null } as const;

/** An enclave with a key of its own on AMD's hardware, as a client has verified it so long after {@link testNowMs}. */
export async function verifyNewEnclave(laterMs = 0): Promise<VerifiedEnclave> {
  const clock: Clock = { wallMs: () => testNowMs + laterMs, monotonicMs: () => 0, after: () => () => undefined };
  const nonce = randomBytes(32);
  const made = await makeHardwareAttestation({ nonce, machine: (expected) => chip.makeEvidence({ expected }) });
  const received = new ReceivedChoice({ ...made, status, enclaveId: 'enclave' }, nonce, {
    clock,
    policy: enclavePolicy,
  });
  const verified = readVerified(received, await received.judge('hardware'), clock);
  if (verified === null) throw new Error('refused');
  return verified;
}
