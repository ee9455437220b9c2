// Signatures over a digest that is made already, as KMS makes them: node:crypto only signs what it hashes itself.
// For the local KMS alone: not in constant time. The tests check each with node:crypto's own verify.
import { constants, createECDH, createHash, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';

/** Order of the group of P-256 (FIPS 186-5, SP 800-186 3.2.1.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const DIGEST_BYTES = 32;

/** ECDSA of P-256 over a digest of 32 bytes (FIPS 186-5, 6.4.1), in DER. */
export function signEcdsaDigest(privateKey: KeyObject, digest: Buffer): Buffer {
  const { d = '' } = privateKey.export({ format: 'jwk' });
  const secret = numberOf(Buffer.from(d, 'base64url'));
  for (;;) {
    const k = (numberOf(randomBytes(40)) % (P256_ORDER - 1n)) + 1n;
    // The point k·G: node:crypto gives it as the public key of k.
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(bytesOf(k));
    const r = numberOf(curve.getPublicKey().subarray(1, 33)) % P256_ORDER;
    const s = (inverse(k, P256_ORDER) * (numberOf(digest) + r * secret)) % P256_ORDER;
    if (r !== 0n && s !== 0n) return derOf([r, s]);
  }
}

/** RSASSA-PSS over a digest of 32 bytes with SHA-256 and a salt of 32 bytes (RFC 8017, 8.1.1 and 9.1.1). */
export function signPssDigest(privateKey: KeyObject, digest: Buffer): Buffer {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  const length = Math.ceil((bits - 1) / 8);
  const salt = randomBytes(DIGEST_BYTES);
  const hash = sha256(Buffer.concat([Buffer.alloc(8), digest, salt]));
  const data = Buffer.alloc(length - DIGEST_BYTES - 1);
  data[data.length - salt.length - 1] = 1;
  salt.copy(data, data.length - salt.length);
  const mask = maskOf(hash, data.length);
  const masked = Buffer.from(data.map((byte, index) => byte ^ (mask[index] ?? 0)));
  // The bits of the encoded message that the modulus has no room for.
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * length - (bits - 1)));
  const encoded = Buffer.concat([masked, hash, Buffer.from([0xbc])]);
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
}

/** MGF1 with SHA-256 (RFC 8017, B.2.1). */
function maskOf(seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; blocks.length * DIGEST_BYTES < length; block += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(block);
    blocks.push(sha256(Buffer.concat([seed, counter])));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`);
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

/** By Fermat: the order is a prime. */
function inverse(value: bigint, prime: bigint): bigint {
  let result = 1n;
  let base = value % prime;
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
}

/** SEQUENCE of INTEGERs; together below 128 bytes, so that a length is one byte. */
function derOf(values: readonly bigint[]): Buffer {
  const parts = values.map((value) => {
    const hex = value.toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    // A leading bit would make it negative.
    const signed = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
    return Buffer.concat([Buffer.from([2, signed.length]), signed]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
