// Which S3 operation a request is, and whether it asks for anything that this store does not do. Strict on purpose:
// an unknown query parameter or header is answered with NotImplemented, because ignoring it would fake an effect.
import type { IncomingHttpHeaders } from 'node:http';
import { checksumAlgorithms } from './create-checksum.ts';
import { notImplemented } from './store-error.ts';

interface OperationForm {
  readonly level: 'service' | 'bucket' | 'key';
  readonly method: string;
  /** Query parameters that make a request this operation; `name=value` also fixes the value. */
  readonly marks: readonly string[];
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
}

const signing = ['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-user-agent'];
// The store has one owner, so the expected one is always right.
const everywhere = new Set([...signing, 'x-amz-expected-bucket-owner']);
const checksums = ['x-amz-sdk-checksum-algorithm', ...checksumAlgorithms.map((name) => `x-amz-checksum-${name}`)];
const body = [...checksums, 'x-amz-trailer', 'x-amz-decoded-content-length'];
const encryption = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];
const lock = ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'];
const stored = [...encryption, ...lock, 'x-amz-storage-class', 'x-amz-meta-*'];
const conditions = ['if-match', 'if-none-match'];
const reading = [...conditions, 'range', 'x-amz-checksum-mode'];
const bypass = ['x-amz-bypass-governance-retention'];
const page = ['prefix', 'delimiter', 'encoding-type'];

const operationForms = {
  ListBuckets: { level: 'service', method: 'GET', marks: [] },
  CreateBucket: { level: 'bucket', method: 'PUT', marks: [], headers: ['x-amz-bucket-object-lock-enabled', ...body] },
  HeadBucket: { level: 'bucket', method: 'HEAD', marks: [] },
  ListObjectsV2: {
    level: 'bucket',
    method: 'GET',
    marks: ['list-type=2'],
    query: [...page, 'max-keys', 'start-after', 'continuation-token'],
  },
  ListObjectVersions: {
    level: 'bucket',
    method: 'GET',
    marks: ['versions'],
    query: [...page, 'max-keys', 'key-marker', 'version-id-marker'],
  },
  ListMultipartUploads: {
    level: 'bucket',
    method: 'GET',
    marks: ['uploads'],
    query: [...page, 'max-uploads', 'key-marker', 'upload-id-marker'],
  },
  DeleteObjects: { level: 'bucket', method: 'POST', marks: ['delete'], headers: [...body, ...bypass] },
  PutObject: { level: 'key', method: 'PUT', marks: [], headers: [...body, ...stored, ...conditions] },
  GetObject: { level: 'key', method: 'GET', marks: [], query: ['versionId'], headers: reading },
  HeadObject: { level: 'key', method: 'HEAD', marks: [], query: ['versionId'], headers: reading },
  DeleteObject: { level: 'key', method: 'DELETE', marks: [], query: ['versionId'], headers: bypass },
  CreateMultipartUpload: {
    level: 'key',
    method: 'POST',
    marks: ['uploads'],
    headers: [...stored, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  },
  UploadPart: { level: 'key', method: 'PUT', marks: ['partNumber', 'uploadId'], headers: body },
  CompleteMultipartUpload: {
    level: 'key',
    method: 'POST',
    marks: ['uploadId'],
    headers: [...checksums, 'x-amz-checksum-type', 'x-amz-mp-object-size', ...conditions],
  },
  AbortMultipartUpload: { level: 'key', method: 'DELETE', marks: ['uploadId'] },
  ListParts: { level: 'key', method: 'GET', marks: ['uploadId'], query: ['max-parts', 'part-number-marker'] },
  PutObjectRetention: {
    level: 'key',
    method: 'PUT',
    marks: ['retention'],
    query: ['versionId'],
    headers: [...body, ...bypass],
  },
  GetObjectRetention: { level: 'key', method: 'GET', marks: ['retention'], query: ['versionId'] },
} as const satisfies Record<string, OperationForm>;

export type Operation = keyof typeof operationForms;
export const operations = Object.keys(operationForms) as readonly Operation[];

/** The operation of a request, or undefined when there is none of that form here. */
export function nameOperation(
  method: string,
  level: OperationForm['level'],
  query: ReadonlyMap<string, string>,
): Operation | undefined {
  return operations.find((operation) => {
    const form: OperationForm = operationForms[operation];
    const names = new Set([...form.marks.map((mark) => mark.split('=', 1)[0]), ...(form.query ?? []), 'x-id']);
    return (
      form.level === level &&
      form.method === method &&
      form.marks.every((mark) => hasMark(query, mark)) &&
      [...query.keys()].every((name) => names.has(name)) &&
      // The SDK says which operation it means: CopyObject has the form of PutObject but for this and a header.
      (query.get('x-id') ?? operation) === operation
    );
  });
}

/** Throws NotImplemented for a header that asks for something the operation does not do here. */
export function checkHeaders(operation: Operation, headers: IncomingHttpHeaders): void {
  const form: OperationForm = operationForms[operation];
  const allowed = new Set([...everywhere, ...(form.headers ?? [])]);
  for (const name of Object.keys(headers)) {
    const matters = name.startsWith('x-amz-') || name.startsWith('if-') || name === 'range';
    const family = name.startsWith('x-amz-meta-') ? 'x-amz-meta-*' : name;
    if (matters && !allowed.has(family)) throw notImplemented(`header "${name}" of ${operation}`);
  }
}

function hasMark(query: ReadonlyMap<string, string>, mark: string): boolean {
  const [name = '', value] = mark.split('=', 2);
  return query.has(name) && (value === undefined || query.get(name) === value);
}
