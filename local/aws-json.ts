// What the stand-ins of AWS services that speak JSON share: reading a request, checking its parameters, and answering.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** The error of the service for a code and a message. */
type MakeError = (code: string, message: string) => Error;

/** The body as JSON; throws the service's SerializationException for anything else. */
export async function readJson(incoming: IncomingMessage, makeError: MakeError): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw makeError('SerializationException', 'the request body is not JSON');
  }
}

/** The parameters; what does not fit is named by field, never by value. */
export function parseParameters<S extends z.ZodType>(
  schema: S,
  body: unknown,
  fail: (message: string) => Error,
): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ('keys' in issue ? issue.keys.join(', ') : issue.path.join('.')));
  throw fail(`not allowed here: ${fields.join('; ')}`);
}

/** A field of the body that is a text; the empty text when there is none. */
export function textField(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** `version` of the protocol, as `1.1`. */
export function sendJson(response: ServerResponse, version: '1.0' | '1.1', status: number, body: object): void {
  response.writeHead(status, {
    'content-type': `application/x-amz-json-${version}`,
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}
