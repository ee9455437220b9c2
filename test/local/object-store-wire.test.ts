// The wire format below the SDK: aws-chunked framing, trailers, lengths and XML that the SDK would never send wrong.
import { crc32 } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { decodeAwsChunks } from '../../local/object-store/decode-aws-chunks.ts';
import { readXml } from '../../local/object-store/read-xml.ts';
import { sendRaw, startOwnServer } from '../support/object-store-conformance/own-server.ts';

const Bucket = 'bucket';
const crc = (text: string) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
};
const trailing = (length: number) => ({
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'content-encoding': 'aws-chunked',
  'x-amz-decoded-content-length': String(length),
  'x-amz-trailer': 'x-amz-checksum-crc32',
});

async function putRaw(headers: Record<string, string>, body: string) {
  const server = await startOwnServer();
  const { status, text } = await sendRaw(server.endpoint, { method: 'PUT', path: '/bucket/key', headers, body });
  const stored = await server.client.send(new GetObjectCommand({ Bucket, Key: 'key' })).then(
    ({ Body }) => Body?.transformToString(),
    () => undefined,
  );
  return { status, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1], stored };
}

describe('aws-chunked bodies', () => {
  test('the checksum in the trailer is right: stored without the framing', async () => {
    const body = `5\r\nhello\r\n6;chunk-signature=${'0'.repeat(64)}\r\n world\r\n0\r\nx-amz-checksum-crc32:${crc('hello world')}\r\n\r\n`;

    expect(await putRaw(trailing(11), body)).toEqual({ status: 200, code: undefined, stored: 'hello world' });
  });

  test('the checksum in the trailer is wrong: BadDigest and nothing is stored', async () => {
    const body = `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc('other')}\r\n\r\n`;

    expect(await putRaw(trailing(5), body)).toEqual({ status: 400, code: 'BadDigest', stored: undefined });
  });

  test.each([
    ['the announced trailer does not come', '5\r\nhello\r\n0\r\n\r\n', 'MalformedTrailerError'],
    [
      'the trailer has no value of the right length',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n',
      'MalformedTrailerError',
    ],
    ['the last chunk does not come', '5\r\nhello\r\n', 'IncompleteBody'],
    ['a chunk is longer than its header says', '4\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['a chunk has no length', 'hello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['bytes follow the end', `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc('hello')}\r\n\r\nmore`, 'IncompleteBody'],
    [
      'the payload is shorter than promised',
      `4\r\nhell\r\n0\r\nx-amz-checksum-crc32:${crc('hell')}\r\n\r\n`,
      'IncompleteBody',
    ],
  ])('%s: refused and nothing is stored', async (_, body, code) => {
    expect(await putRaw(trailing(5), body)).toEqual({ status: 400, code, stored: undefined });
  });

  test('the network cuts the body at any byte: the same payload comes out', async () => {
    const wire = Buffer.from('5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nx-a: b\r\nx-c:d\r\n\r\n');
    for (let size = 1; size <= wire.length; size += 1) {
      const trailers = new Map<string, string>();
      const pieces = Array.from({ length: Math.ceil(wire.length / size) }, (_, index) =>
        wire.subarray(index * size, (index + 1) * size),
      );
      const payload: Buffer[] = [];
      for await (const piece of decodeAwsChunks(arrive(pieces), trailers)) payload.push(piece);

      expect(Buffer.concat(payload).toString()).toBe('hello0123456789abcdef');
      expect([...trailers]).toEqual([
        ['x-a', 'b'],
        ['x-c', 'd'],
      ]);
    }
  });
});

describe('promises about a body', () => {
  test.each([
    ['there is no length', { 'transfer-encoding': 'chunked' }, 'MissingContentLength', 411],
    ['the payload hash is wrong', { 'x-amz-content-sha256': '0'.repeat(64) }, 'XAmzContentSHA256Mismatch', 400],
    ['the payload hash is no hash', { 'x-amz-content-sha256': 'whatever' }, 'InvalidArgument', 400],
    [
      'two checksums are sent',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
      400,
    ],
    ['a checksum is announced and not sent', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest', 400],
    ['the body is larger than S3 takes', { ...trailing(6 * 1024 ** 3) }, 'EntityTooLarge', 400],
    ['a header is not known', { 'x-amz-grant-read': 'id=1' }, 'NotImplemented', 501],
    ['a write has an If-None-Match other than *', { 'if-none-match': '"abc"' }, 'NotImplemented', 501],
  ])('%s: refused and nothing is stored', async (_, headers, code, status) => {
    expect(await putRaw(headers, 'hello')).toEqual({ status, code, stored: undefined });
  });

  test('the client breaks off in the middle of a body: nothing is stored, the next request is served', async () => {
    const { client, endpoint } = await startOwnServer();

    const cut = sendRaw(endpoint, {
      method: 'PUT',
      path: '/bucket/half',
      headers: { 'content-length': '9999999' },
      body: 'the first bytes',
    });
    await new Promise((later) => setTimeout(later, 50));
    client.destroy();

    const again = await sendRaw(endpoint, { method: 'GET', path: '/bucket/half' });
    expect(again.status).toBe(404);
    cut.catch(() => undefined);
  });

  test('a range is not one range of bytes: 501, never the whole object', async () => {
    const { client, endpoint } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: '0123456789' }));

    for (const range of ['bytes=0-1,3-4', 'lines=0-1', 'bytes=-']) {
      expect(await sendRaw(endpoint, { method: 'GET', path: '/bucket/key', headers: { range } })).toMatchObject({
        status: 501,
      });
    }
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'key' }))).ContentLength).toBe(10);
  });
});

describe('readXml', () => {
  test('text holds entities and numeric references: they are decoded once', () => {
    const { text } = readXml(
      '<?xml version="1.0"?>\n<Key>&amp;amp; &lt;&gt;&quot;&apos;&#39;&#x0D;&#10;&#x1F600;</Key>',
    );

    expect(text).toBe("&amp; <>\"''\r\n😀");
  });

  test('elements are nested with a namespace and blanks: names, texts and order come out', () => {
    const root = readXml(
      '\uFEFF<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n <Object><Key> a </Key></Object>\n <Quiet/></Delete>\n',
    );

    expect(root.children.map((child) => child.name)).toEqual(['Object', 'Quiet']);
    expect(root.children[0]?.children).toEqual([{ name: 'Key', text: ' a ', children: [] }]);
  });

  test.each([
    ['an unknown entity', '<Key>&nbsp;</Key>'],
    ['an entity without end', '<Key>a & b</Key>'],
    ['a reference to the zero byte', '<Key>&#0;</Key>'],
    ['a reference to a surrogate', '<Key>&#xD800;</Key>'],
    ['a raw control character', '<Key>\u0001</Key>'],
    ['a document type', '<!DOCTYPE Key [<!ENTITY x "y">]><Key>&x;</Key>'],
    ['a comment', '<Key><!-- a --></Key>'],
    ['CDATA', '<Key><![CDATA[a]]></Key>'],
    ['an attribute', '<Key type="x">a</Key>'],
    ['an element that is not closed', '<Key>a'],
    ['elements closed in the wrong order', '<Object><Key>a</Object></Key>'],
    ['two roots', '<Key>a</Key><Key>b</Key>'],
    ['text between elements', '<Object>a<Key>b</Key></Object>'],
    ['elements nested without end', '<a>'.repeat(5000)],
    ['nothing', ''],
  ])('%s: refused with MalformedXML', (_, document) => {
    expect(() => readXml(document)).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });

  test('a deletion names an element that is not known: 501, and nothing is deleted', async () => {
    const { client, endpoint } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }));
    const body = '<Delete><Object><Key>key</Key><ETag>"x"</ETag></Object></Delete>';

    const headers = { 'x-amz-checksum-crc32': crc(body) };
    expect(await sendRaw(endpoint, { method: 'POST', path: '/bucket?delete', headers, body })).toMatchObject({
      status: 501,
    });

    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'key' }))).ContentLength).toBe(1);
  });
});

async function* arrive(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
