// SQLSTATE codes that some code branches on, with their meaning.

export const INVALID_PASSWORD = '28P01';
/** Also "no pg_hba.conf entry … no encryption": the server wants TLS or does not know the host. */
export const INVALID_AUTHORIZATION = '28000';
export const DATABASE_NOT_FOUND = '3D000';
export const TOO_MANY_CONNECTIONS = '53300';
export const LOCK_NOT_AVAILABLE = '55P03';
export const QUERY_CANCELED = '57014';
export const ADMIN_SHUTDOWN = '57P01';
export const INSUFFICIENT_PRIVILEGE = '42501';
/** Also of mistakes in meaning, as more values than columns in an INSERT. */
export const SYNTAX_ERROR = '42601';
export const UNDEFINED_TABLE = '42P01';
export const UNDEFINED_COLUMN = '42703';
/** Also of operators, as between two types that do not compare. */
export const UNDEFINED_FUNCTION = '42883';
/** Something else needs what was to be dropped. */
export const DEPENDENT_OBJECTS_STILL_EXIST = '2BP01';
export const DEADLOCK_DETECTED = '40P01';
/** In READ COMMITTED only of a row that somebody has moved to another partition. */
export const SERIALIZATION_FAILURE = '40001';
/** Of SET TRANSACTION SNAPSHOT: there is no such snapshot (any more); which of the three depends on the version. */
export const INVALID_PARAMETER_VALUE = '22023';
export const UNDEFINED_OBJECT = '42704';
export const OBJECT_NOT_IN_PREREQUISITE_STATE = '55000';
export const INVALID_SCHEMA_NAME = '3F000';
/** The server has ended the session, because its transaction did nothing for too long or was open for too long. */
export const IDLE_IN_TRANSACTION_TIMEOUT = '25P03';
export const TRANSACTION_TIMEOUT = '25P04';
export const PROTOCOL_VIOLATION = '08P01';
export const UNIQUE_VIOLATION = '23505';
export const FOREIGN_KEY_VIOLATION = '23503';

/** The SQLSTATE of an error of the server, or undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  // EPIPE and its like of the operating system have five letters too.
  if (!(error instanceof Error) || !('code' in error) || 'syscall' in error) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** What a socket says when the other side is gone in the middle of a write. */
const BROKEN_SOCKET: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET', 'ETIMEDOUT']);

/** Whether the session is gone: ended by the server or the network, in whatever words pg or the socket says it. */
export function isSessionLost(error: unknown): boolean {
  const state = sqlState(error);
  if (state === IDLE_IN_TRANSACTION_TIMEOUT || state === TRANSACTION_TIMEOUT) return true;
  // Of a statement whose parameters do not match it; the session goes on.
  if (state === PROTOCOL_VIOLATION) return false;
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P');
  if (!(error instanceof Error)) return false;
  const isTold = /^(Connection terminated|Client has encountered a connection error)/.test(error.message);
  return isTold || BROKEN_SOCKET.has(Reflect.get(error, 'code'));
}
