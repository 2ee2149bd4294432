import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';

/**
 * Every table of the relay as rows in memory, alike for SQLite and PostgreSQL. Bytes are `Bytes`, numbers are safe integers,
 * and yes and no are 1 and 0. Times are milliseconds since 1970, days are days since 1970.
 *
 * Nothing here can be opened by the relay: `body` columns and OPAQUE records are sealed or blinded by the client.
 */
export interface Schema {
  metadata: MetadataTable;
  accounts: AccountTable;
  keyslots: KeyslotTable;
  heads: HeadTable;
  items: ItemTable;
  pruned_items: PrunedItemTable;
  turns: TurnTable;
  turn_attempts: TurnAttemptTable;
  transcripts: TranscriptTable;
  frames: FrameTable;
  sessions: SessionTable;
  login_attempts: LoginAttemptTable;
  step_ups: StepUpTable;
  recovery_challenges: RecoveryChallengeTable;
  rate_counters: RateCounterTable;
  enclave_sessions: EnclaveSessionTable;
}

/** Facts on the installation: `server-keys` holds the fingerprint of the keys that belong to this database. */
export interface MetadataTable {
  name: string;
  value: string;
}

export interface AccountTable {
  /** Random UUID; tells nothing about age or order. */
  id: string;
  /** HMAC(pepper, name tag): the only trace of the user name. */
  name_hash: Bytes;
  /** OPAQUE's userIdentifier: drawn at sign-up, never changed. */
  opaque_user_id: string;
  /** Which of the server's OPAQUE setups the record belongs to. */
  opaque_setup_id: string;
  opaque_record: string;
  stretching: string;
  /** Ed25519: its signature releases the recovery keyslot. */
  recovery_public_key: Bytes;
  keyslot_list: Bytes;
  /** Earlier account keys under the newest one; null in epoch 1. */
  keyring: Bytes | null;
  /** Counter of the newest head; compare-and-swap goes by `head_hash`. */
  head_counter: number;
  /** SHA-256 of the newest sealed head. */
  head_hash: Bytes;
  /** Bytes of item bodies and transcripts, counted against the quota. */
  used_bytes: number;
  created_at: number;
}

export interface KeyslotTable {
  account_id: string;
  slot_id: Bytes;
  kind: string;
  generation: number;
  body: Bytes;
}

export interface HeadTable {
  account_id: string;
  counter: number;
  body: Bytes;
  hash: Bytes;
  stored_at: number;
}

export interface ItemTable {
  account_id: string;
  id: Bytes;
  version: number;
  /** A day; 0 is kept until deleted. */
  expires_at: number;
  flags: number;
  /** Counter of the head that last changed it: the sync cursor is (counter, id). */
  counter: number;
  stored_at: number;
  turn_id: Bytes | null;
  /** Length of the body as it was stored; stays when the body is dropped. */
  length: number;
  body_hash: Bytes;
  /** Null once expired: leaf and hash stay until a client prunes them. */
  body: Bytes | null;
}

/** A leaf that a client pruned: told for 90 days to devices that were away, which would read everything anew otherwise. */
export interface PrunedItemTable {
  account_id: string;
  id: Bytes;
  /** Counter of the head whose batch pruned it. */
  counter: number;
  pruned_at: number;
}

export interface TurnTable {
  /** Drawn by the client, unique over all accounts as it is at the enclave. */
  id: Bytes;
  account_id: string;
  /** `turnStates` of the messages. */
  state: string;
  enclave_id: string;
  model: string;
  started_at: number;
  ended_at: number | null;
  attempts: number;
  /** Length of the newest sealed request. */
  request_length: number;
  stops: number;
  /** Bytes of its transcripts as they were counted against the quota when it ended; 0 before. */
  stored_bytes: number;
  /** 1 for a chat that stores no item: its transcript is deleted soon after the end. */
  temporary: number;
  /** Replica that reads this turn's frames from the enclave, and until when it may. */
  lease_owner: string | null;
  lease_until: number | null;
}

/** One sealed request that was handed on for a turn: a repeated one is known by its hash. */
export interface TurnAttemptTable {
  turn_id: Bytes;
  number: number;
  enclave_id: string;
  /** The request's other recipient, which may have it too. */
  alternate_enclave_id: string | null;
  request_hash: Bytes;
  started_at: number;
}

export interface TranscriptTable {
  turn_id: Bytes;
  transcript_id: Bytes;
  /** Where the rest of it is held. */
  enclave_id: string;
  /** Transcript header (99) and the hash of the request that it answers (32). */
  header: Bytes;
  /** `closeReasons` of the live records; null while frames may come. */
  closed: number | null;
  created_at: number;
}

/**
 * Sealed frames of one transcript that follow each other, about a second of them in a row: one row for each frame would
 * cost ten times the work. Rows may overlap where two processes wrote for a moment; frames are known by their number.
 *
 * Without a foreign key: late frames of a deleted turn must not fail the insert of all the others.
 */
export interface FrameTable {
  turn_id: Bytes;
  transcript_id: Bytes;
  /** The number of the first frame. */
  number: number;
  count: number;
  /** The frames behind each other, all of one length. */
  body: Bytes;
}

export interface SessionTable {
  id: Bytes;
  account_id: string;
  /** Refresh token n is HMAC(token key, seed, n): neither database nor server keys alone can make one. */
  token_seed: Bytes;
  /** Number of the newest refresh token; the one before is good until this one is used, 60 s at most. */
  generation: number;
  rotated_at: number;
  created_at: number;
  refreshed_at: number;
  expires_at: number;
}

export interface LoginAttemptTable {
  id: Bytes;
  /** Null for a name that nobody has: the attempt runs through the same steps and fails like a wrong password. */
  account_id: string | null;
  /** The session that is unlocked; null for a sign-in. */
  session_id: Bytes | null;
  server_state: string;
  /** Among whose attempts it was counted; null where an earlier version wrote the row: among the name's. */
  counted_as: Bytes | null;
  expires_at: number;
}

/** A fresh proof that was begun: good once, for this session, act and body. */
export interface StepUpTable {
  id: Bytes;
  account_id: string;
  session_id: Bytes;
  act: string;
  /** SHA-256 of the act's message. */
  body_digest: Bytes;
  /** Its factor keeps this between the two halves: the state of OPAQUE for the password. */
  server_state: string | null;
  /** To be signed, where the factor signs: the recovery phrase's key does. */
  nonce: Bytes | null;
  expires_at: number;
}

export interface RecoveryChallengeTable {
  id: Bytes;
  account_id: string | null;
  challenge: Bytes;
  /** The name tag under a one-time mask from the server keys: the database alone does not hold it. */
  masked_name_tag: Bytes;
  issued_at: number;
  expires_at: number;
  /** Same as in `login_attempts`. */
  counted_as: Bytes | null;
}

/** Counts per account that must hold over all replicas and restarts. */
export interface RateCounterTable {
  /** A keyed hash of the name, or of the account's id. */
  subject: Bytes;
  kind: string;
  window_start: number;
  count: number;
}

/**
 * A session at a front door that keeps one account and model with one container, for every replica to find. There is at
 * most one that is starting or live for a place: the row of a start is the right to make it.
 */
export interface EnclaveSessionTable {
  /** The enclave's id in answers and turns: drawn when the start began, never used twice. */
  id: string;
  account_id: string;
  /** Which front door, so that another setting finds nothing of the old one. */
  pool: string;
  model: string;
  /** `starting`; `live` once there is a token. */
  state: string;
  /** Under a mask from the proxy token: the database alone does not hold it. */
  session_token: string | null;
  /** Repeated by whoever goes on with a start, so that the front door gives one session for it. */
  start_key: string;
  started_at: number;
  /** When it last served something, to half a minute; the front door ends it after a time without. */
  used_at: number;
  /** Replica that makes the start, and until when nobody else may. */
  lease_owner: string | null;
  lease_until: number | null;
  /** Starts that failed one after the other, and when the next one may begin. */
  failures: number;
  retry_at: number;
}
