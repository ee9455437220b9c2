// Whether a certificate is what was signed: needs neither AWS nor a network, only the files and a public key. Pure.
import { constants, verify } from 'node:crypto';
import type { SigningAlgorithm } from '../../shared/signing-key.ts';
import { sha256Of } from './canonical-json.ts';
import { bodyHash, parseCertificate } from './certificate.ts';
import { type CertificateSignature, publicKeyHash, signatureSchema } from './signature.ts';

export const verifyResults = [
  'valid',
  'changed since signed',
  'signed by another key',
  'unsigned',
  'body hash wrong',
  'unreadable',
] as const;

export interface CertificateCheck {
  readonly result: (typeof verifyResults)[number];
  /** What was compared, in one sentence. */
  readonly because: string;
}

export interface CertificateFiles {
  /** The bytes of certificate.json as they are stored. */
  readonly certificate: Buffer;
  /** The text of certificate.signature.json; undefined when there is none. */
  readonly signature: string | undefined;
  /** The key that is trusted, from elsewhere than the bucket: from GetPublicKey or a file that was kept. */
  readonly publicKeyPem: string;
}

/**
 * One result, and only "valid" is good; "unsigned" has a right hash of its body, which whoever changes it can make again.
 *
 * Throws only when `publicKeyPem` is no public key.
 */
export function verifyCertificate({ certificate, signature, publicKeyPem }: CertificateFiles): CertificateCheck {
  const trusted = publicKeyHash(publicKeyPem);
  if (signature === undefined) {
    return (
      checkBody(certificate) ?? { result: 'unsigned', because: 'there is no signature; the hash of its body is right' }
    );
  }
  const signed = parseSignature(signature);
  if (signed === undefined)
    return { result: 'unreadable', because: 'the signature is damaged or of an unknown version' };
  if (signed.publicKeySha256 !== trusted) {
    return {
      result: 'signed by another key',
      because: `it was signed by the key with SHA-256 ${signed.publicKeySha256}, the trusted one has ${trusted}`,
    };
  }
  const digest = sha256Of(certificate);
  if (digest !== signed.digest) {
    return {
      result: 'changed since signed',
      because: `its bytes have SHA-256 ${digest}, those that were signed had ${signed.digest}`,
    };
  }
  if (!isSignatureOf(certificate, signed.algorithm, publicKeyPem, Buffer.from(signed.signature, 'base64'))) {
    return {
      result: 'changed since signed',
      because: 'the trusted key has not made this signature for these bytes: one of them was changed',
    };
  }
  return (
    checkBody(certificate) ?? {
      result: 'valid',
      because: `signed at ${signed.signedAt} by "${signed.keyArn}", and not changed since`,
    }
  );
}

/** Whether the key has made the signature for the bytes; a damaged signature is none. */
export function isSignatureOf(
  bytes: Buffer,
  algorithm: SigningAlgorithm,
  publicKeyPem: string,
  signature: Buffer,
): boolean {
  // KMS salts PSS with as many bytes as the digest has.
  const padding =
    algorithm === 'RSASSA_PSS_SHA_256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {};
  try {
    return verify('sha256', bytes, { key: publicKeyPem, ...padding }, signature);
  } catch {
    // OpenSSL throws when key and algorithm do not go together.
    return false;
  }
}

/** Undefined when the certificate can be read and carries the right hash of its body. */
function checkBody(certificate: Buffer): CertificateCheck | undefined {
  try {
    const parsed = parseCertificate('certificate.json', certificate.toString('utf8'));
    const actual = bodyHash(parsed);
    if (actual === parsed.bodySha256) return undefined;
    return {
      result: 'body hash wrong',
      because: `its body has SHA-256 ${actual}, it says ${parsed.bodySha256}`,
    };
  } catch {
    return { result: 'unreadable', because: 'the certificate is damaged or of an unknown version' };
  }
}

function parseSignature(signature: string): CertificateSignature | undefined {
  try {
    return signatureSchema.parse(JSON.parse(signature));
  } catch {
    return undefined;
  }
}
