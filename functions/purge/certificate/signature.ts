// What lies beside a signed certificate: the signature over the bytes of certificate.json, and whose it is. A contract.
import { createPublicKey } from 'node:crypto';
import * as z from 'zod';
import { signingAlgorithms } from '../../shared/signing-key.ts';
import { sha256Of } from './canonical-json.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const signatureSchema = z.strictObject({
  signatureVersion: z.literal(1),
  certificateKey: z.string(),
  keyArn: z.string(),
  algorithm: z.enum(signingAlgorithms),
  /** SHA-256 of the bytes of certificate.json. */
  digest: sha256,
  /** Base64; of ECDSA the DER of its two numbers. */
  signature: z.base64(),
  /**
   * So that the signature outlives its key in KMS. It proves nothing by itself, whoever changes the certificate can change it
   * too: compare `publicKeySha256` with what was noted elsewhere when the key was made.
   */
  publicKeyPem: z.string(),
  publicKeySha256: sha256,
  signedAt: z.iso.datetime(),
});

export type CertificateSignature = z.output<typeof signatureSchema>;

/** What `openssl pkey -pubin -outform DER | sha256sum` says: of the key itself, not of its line breaks. Throws for no key. */
export function publicKeyHash(publicKeyPem: string): string {
  return sha256Of(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }));
}
