import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretCredentials } from '../../functions/shared/credentials.ts';

/** Three attempts of three seconds, and the pauses between them. */
const WITHIN_MS = 15_000;

const sockets = new Set<Socket>();
let silent: Server;

beforeAll(async () => {
  silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
  });
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

describe('secretCredentials', () => {
  test('Secrets Manager takes the connection and never answers: a clear failure long before the time limit of the function', async () => {
    const from = performance.now();

    await expect(secretCredentials('arn:aws:secretsmanager:us-east-1:000000000000:secret:x').read()).rejects.toThrow(
      /secret "arn:.*" could not be read: .*time.*No connection to the database was tried.*that the VPC reaches Secrets Manager/is,
    );

    expect(performance.now() - from).toBeLessThan(WITHIN_MS);
    expect(sockets.size).toBe(3);
  });
});
