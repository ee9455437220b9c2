// Reads the few XML bodies that S3 requests have. It refuses whatever it does not understand (attributes, comments,
// CDATA, document types, unknown entities) and must never guess: a misread key would delete the wrong object.
import { storeError } from './store-error.ts';

export interface XmlElement {
  readonly name: string;
  /** The decoded text; empty where there are children. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const deepest = 8;
const declaration = /^\uFEFF?(?:<\?xml [^?]*\?>)?\s*/;
// The SDK declares the namespace on the root element; no S3 request has another attribute.
const openingTag = /<([A-Za-z][A-Za-z0-9]*)(?:\s+xmlns="[^"<]*")?\s*(\/?)>/y;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The root element of a document; throws MalformedXML. */
export function readXml(document: string): XmlElement {
  const start = declaration.exec(document)?.[0].length ?? 0;
  const root = readElement(document, start, 0);
  if (document.slice(root.end).trim() !== '') throw malformed('text after the root element');
  return root.element;
}

function readElement(document: string, start: number, depth: number): { element: XmlElement; end: number } {
  if (depth > deepest) throw malformed(`elements deeper than ${deepest}`);
  openingTag.lastIndex = start;
  const opening = openingTag.exec(document);
  const name = opening?.[1];
  if (opening === null || name === undefined) throw malformed(`no element at position ${start}`);
  let position = openingTag.lastIndex;
  if (opening[2] === '/') return { element: { name, text: '', children: [] }, end: position };

  const closing = `</${name}>`;
  const children: XmlElement[] = [];
  let text = '';
  for (;;) {
    const next = document.indexOf('<', position);
    if (next === -1) throw malformed(`<${name}> is not closed`);
    text += document.slice(position, next);
    if (document.startsWith(closing, next)) {
      return { element: finishElement(name, text, children), end: next + closing.length };
    }
    const child = readElement(document, next, depth + 1);
    children.push(child.element);
    position = child.end;
  }
}

function finishElement(name: string, text: string, children: readonly XmlElement[]): XmlElement {
  if (children.length === 0) return { name, text: decodeText(text), children };
  if (text.trim() !== '') throw malformed(`text between the elements of <${name}>`);
  return { name, text: '', children };
}

function decodeText(text: string): string {
  // XML 1.0 has no such characters; a parser that lets them through reads other keys than S3 does.
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) throw malformed('a control character');
  return text.replaceAll(/&([^;&]*)(;?)/g, (whole, body: string, semicolon: string) => {
    const decoded = semicolon === ';' ? (entities[body] ?? decodeNumber(body)) : undefined;
    if (decoded === undefined) throw malformed(`entity "${whole}"`);
    return decoded;
  });
}

function decodeNumber(body: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(body);
  if (digits === null) return undefined;
  const codePoint = digits[1] === undefined ? Number.parseInt(digits[2] ?? '', 10) : Number.parseInt(digits[1], 16);
  const isCharacter = codePoint > 0 && codePoint <= 0x10_ff_ff && (codePoint < 0xd8_00 || codePoint > 0xdf_ff);
  return isCharacter ? String.fromCodePoint(codePoint) : undefined;
}

function malformed(what: string) {
  return storeError('MalformedXML', `The XML you provided was not well-formed or did not validate: ${what}`);
}
