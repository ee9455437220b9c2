// The XML request bodies of S3 as typed values: completion, deletion, retention, bucket configuration.
// An element that is not known here is answered with NotImplemented, never skipped.
import { type ChecksumAlgorithm, checksumAlgorithms } from './create-checksum.ts';
import { readXml, type XmlElement } from './read-xml.ts';
import { notImplemented, storeError } from './store-error.ts';
import type { Retention } from './version-record.ts';

export interface CompletedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

export interface Deletion {
  readonly quiet: boolean;
  readonly objects: readonly { readonly key: string; readonly versionId: string | undefined }[];
}

/** The parts of a CompleteMultipartUpload body in the order given. */
export function readCompletion(document: string): CompletedPart[] {
  const parts = readFields(readXml(document), 'CompleteMultipartUpload', ['Part']).filter(isPart);
  if (parts.length === 0) throw malformed('no <Part>');
  return parts.map((part) => {
    const checksumNames = checksumAlgorithms.map(checksumElement);
    const fields = readFields(part, 'Part', ['PartNumber', 'ETag', ...checksumNames]);
    const checksums = checksumAlgorithms.flatMap((algorithm) => {
      const value = one(fields, checksumElement(algorithm));
      return value === undefined ? [] : [[algorithm, value] as const];
    });
    return {
      partNumber: readInteger(required(fields, 'PartNumber')),
      etag: unquote(required(fields, 'ETag')),
      checksums: new Map(checksums),
    };
  });
}

/** The objects of a DeleteObjects body, 1 to 1,000. */
export function readDeletion(document: string): Deletion {
  const fields = readFields(readXml(document), 'Delete', ['Object', 'Quiet']);
  const objects = fields.filter((field) => field.name === 'Object');
  if (objects.length === 0 || objects.length > 1000)
    throw malformed(`${objects.length} objects; 1 to 1000 are allowed`);
  return {
    quiet: one(fields, 'Quiet') === 'true',
    objects: objects.map((object) => {
      const parts = readFields(object, 'Object', ['Key', 'VersionId']);
      return { key: required(parts, 'Key'), versionId: one(parts, 'VersionId') };
    }),
  };
}

/** The body of PutObjectRetention. */
export function readRetention(document: string): Retention {
  const fields = readFields(readXml(document), 'Retention', ['Mode', 'RetainUntilDate']);
  return checkRetention(required(fields, 'Mode'), required(fields, 'RetainUntilDate'));
}

/** A retention from its two texts; throws MalformedXML for an unknown mode or date. */
export function checkRetention(mode: string, until: string): Retention {
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') throw malformed(`retention mode "${mode}"`);
  const instant = new Date(until);
  if (Number.isNaN(instant.getTime())) throw malformed(`retention date "${until}"`);
  return { mode, until: instant.toISOString() };
}

/** Checks a CreateBucket body; the region it names has no meaning on a laptop. */
export function checkBucketConfiguration(document: string): void {
  if (document !== '') readFields(readXml(document), 'CreateBucketConfiguration', ['LocationConstraint']);
}

/** `ChecksumCRC32` and so on: the element that holds a checksum in requests and answers. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`;
}

/** An ETag without the quotes that HTTP puts around it. */
export function unquote(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1');
}

function readFields(element: XmlElement, name: string, allowed: readonly string[]): readonly XmlElement[] {
  if (element.name !== name) throw malformed(`<${element.name}> where <${name}> belongs`);
  const unknown = element.children.find((child) => !allowed.includes(child.name));
  if (unknown !== undefined) throw notImplemented(`element <${unknown.name}> in <${name}>`);
  return element.children;
}

function isPart(element: XmlElement): boolean {
  return element.name === 'Part';
}

function one(fields: readonly XmlElement[], name: string): string | undefined {
  const found = fields.filter((field) => field.name === name);
  if (found.length > 1) throw malformed(`<${name}> ${found.length} times`);
  return found[0]?.text;
}

function required(fields: readonly XmlElement[], name: string): string {
  const text = one(fields, name);
  if (text === undefined || text === '') throw malformed(`<${name}> is missing`);
  return text;
}

function readInteger(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw malformed(`"${text}" is not a number`);
  return Number.parseInt(text, 10);
}

function malformed(what: string) {
  return storeError('MalformedXML', `The XML you provided was not well-formed or did not validate: ${what}`);
}
