// Writes answers and errors to the wire. Knows the two ways in which a request body that nobody read is got rid of.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { describeError } from '../../functions/shared/job-failure.ts';
import { type StoreRequest, waitsForContinue } from './read-request.ts';
import { StoreError, storeError } from './store-error.ts';
import type { StoreAnswer } from './store-operation.ts';
import { writeXml } from './write-xml.ts';

/** Sends an answer; a client that leaves in the middle is no error of ours. */
export async function sendAnswer(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: StoreAnswer,
  request: StoreRequest | undefined,
): Promise<void> {
  try {
    await finishRequest(incoming, response, request);
    const document =
      answer.document === undefined || request?.method === 'HEAD' ? undefined : Buffer.from(answer.document);
    response.writeHead(answer.status, {
      'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
      ...answer.headers,
      ...(document && { 'content-type': 'application/xml', 'content-length': String(document.length) }),
    });
    if (answer.file === undefined) {
      response.end(document);
      return;
    }
    const { handle, start, end } = answer.file;
    await pipeline(handle.createReadStream({ start, end, autoClose: false }), response);
  } catch (error) {
    if (!response.destroyed && !incoming.destroyed) response.destroy(error instanceof Error ? error : undefined);
  } finally {
    await answer.file?.handle.close();
  }
}

/** Sends what was thrown in S3's form; an error that is not a refusal is an InternalError. */
export async function sendError(
  incoming: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  request: StoreRequest | undefined,
): Promise<void> {
  // The client has left, or half of a file is out already: nothing can be said any more.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const refusal =
    error instanceof StoreError
      ? error
      : storeError('InternalError', `We encountered an internal error: ${describeError(error)}`);
  const document = writeXml('Error', [
    ['Code', refusal.code],
    ['Message', refusal.message],
    ['Resource', request?.path],
    ...Object.entries(refusal.details),
  ]);
  await sendAnswer(incoming, response, { status: refusal.status, headers: refusal.headers, document }, request);
}

/** Makes the connection ready for the answer when the body was not (wholly) read. */
async function finishRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  request: StoreRequest | undefined,
): Promise<void> {
  if (incoming.complete) return;
  if (waitsForContinue(incoming) && request?.bodyWasRead() !== true) {
    // The body was never sent and never will be: the next bytes on this connection would be misread.
    response.setHeader('connection', 'close');
    return;
  }
  // A client in the middle of sending would take an early answer for a broken connection and retry.
  incoming.resume();
  await new Promise((done) => incoming.once('close', done).once('end', done));
}
