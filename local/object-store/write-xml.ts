// Writes the XML answers of the local object store. Text is always escaped here and nowhere else.

export type XmlFields = readonly (readonly [name: string, value: XmlValue])[];
type XmlValue = string | number | boolean | undefined | XmlFields;

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A document with one root element; fields whose value is undefined are left out, lists repeat their name. */
export function writeXml(root: string, fields: XmlFields): string {
  // S3 gives its errors no namespace.
  const attribute = root === 'Error' ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${writeFields(fields)}</${root}>`;
}

function writeFields(fields: XmlFields): string {
  return fields.map(([name, value]) => (value === undefined ? '' : `<${name}>${writeValue(value)}</${name}>`)).join('');
}

function writeValue(value: Exclude<XmlValue, undefined>): string {
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return writeFields(value);
}

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

function escapeText(text: string): string {
  // Control characters go out as numeric references, as S3 does; a bare carriage return would be read as a line feed.
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[&<>"'\u0000-\u001f]/g, (found) => named[found] ?? `&#x${found.charCodeAt(0).toString(16)};`);
}
