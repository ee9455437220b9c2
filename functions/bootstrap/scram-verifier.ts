// Computes the SCRAM-SHA-256 verifier of a password (RFC 5803), so that the password itself never reaches the server:
// CREATE ROLE … PASSWORD 'clear text' would leave it in the server's log and in pg_stat_statements.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** What PostgreSQL itself uses (scram_iterations). */
const ITERATIONS = 4096;
const SALT_BYTES = 16;

/** `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`; the password must have gone through `preparePassword`. */
export function scramVerifier(
  preparedPassword: string,
  salt = randomBytes(SALT_BYTES),
  iterations = ITERATIONS,
): string {
  const salted = pbkdf2Sync(preparedPassword, salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
