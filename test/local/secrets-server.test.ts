// The Secrets Manager stand-in over the real SDK.
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type SecretsSettings, startSecretsServer } from '../../local/secrets-server.ts';

const SecretId = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:nightshift/sample/backup-AbC123';

async function start(settings: Partial<SecretsSettings> = {}, config: SecretsManagerClientConfig = {}) {
  const server = await startSecretsServer({ secrets: { [SecretId]: '{"password":"first"}' }, ...settings });
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const client = new SecretsManagerClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
    ...config,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.stop();
  });
  const get = async (VersionStage?: string) =>
    (await client.send(new GetSecretValueCommand({ SecretId, VersionStage }))).SecretString;
  return { server, client, get };
}

describe('reading', () => {
  test('a secret is read by its ARN and by its name: the value with its version and stage', async () => {
    const { client } = await start();

    const byArn = await client.send(new GetSecretValueCommand({ SecretId }));
    const byName = await client.send(new GetSecretValueCommand({ SecretId: 'nightshift/sample/backup' }));

    expect(byArn).toMatchObject({
      ARN: SecretId,
      Name: 'nightshift/sample/backup',
      SecretString: '{"password":"first"}',
    });
    expect(byArn.VersionStages).toEqual(['AWSCURRENT']);
    expect(byArn.CreatedDate?.getTime()).toBeGreaterThan(0);
    expect(byName.VersionId).toBe(byArn.VersionId);
  });

  test('a secret does not exist: ResourceNotFoundException, also for describe and put', async () => {
    const { client } = await start();
    const other = { SecretId: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbC123' };

    await expect(client.send(new GetSecretValueCommand(other))).rejects.toThrow(ResourceNotFoundException);
    await expect(client.send(new DescribeSecretCommand(other))).rejects.toThrow(ResourceNotFoundException);
    await expect(client.send(new PutSecretValueCommand({ ...other, SecretString: 'x' }))).rejects.toThrow(
      ResourceNotFoundException,
    );
  });

  test('a stage or version does not exist: ResourceNotFoundException', async () => {
    const { client, get } = await start();

    await expect(get('AWSPREVIOUS')).rejects.toThrow(ResourceNotFoundException);
    await expect(client.send(new GetSecretValueCommand({ SecretId, VersionId: 'none' }))).rejects.toThrow(
      ResourceNotFoundException,
    );
  });
});

describe('rotation', () => {
  test('a value is put: it becomes AWSCURRENT, the one before AWSPREVIOUS, an older one has no stage', async () => {
    const { client, get } = await start();

    const second = await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'second' }));
    expect([await get(), await get('AWSPREVIOUS')]).toEqual(['second', '{"password":"first"}']);
    const third = await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'third' }));

    expect([await get(), await get('AWSPREVIOUS')]).toEqual(['third', 'second']);
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(VersionIdsToStages).toEqual({
      [third.VersionId ?? '']: ['AWSCURRENT'],
      [second.VersionId ?? '']: ['AWSPREVIOUS'],
    });
  });

  test('a value is set from outside: it is current at once, a new secret is made', async () => {
    const { server, client, get } = await start();
    const other = SecretId.replace('backup', 'health');

    server.setSecret(SecretId, 'rotated');
    server.setSecret(other, 'new');

    expect([await get(), await get('AWSPREVIOUS')]).toEqual(['rotated', '{"password":"first"}']);
    expect((await client.send(new GetSecretValueCommand({ SecretId: other }))).SecretString).toBe('new');
  });

  test('a value is put as AWSPENDING: the current one stays current', async () => {
    const { client, get } = await start();

    await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'next', VersionStages: ['AWSPENDING'] }));

    expect([await get(), await get('AWSPENDING')]).toEqual(['{"password":"first"}', 'next']);
    await expect(get('AWSPREVIOUS')).rejects.toThrow(ResourceNotFoundException);
  });

  test('the same token comes twice: once a retry, with another value a refusal', async () => {
    const { client, get } = await start();
    const request = { SecretId, ClientRequestToken: '11111111-2222-3333-4444-555555555555' };

    await client.send(new PutSecretValueCommand({ ...request, SecretString: 'second' }));
    await client.send(new PutSecretValueCommand({ ...request, SecretString: 'second' }));

    expect(await get('AWSPREVIOUS')).toBe('{"password":"first"}');
    const different = client.send(new PutSecretValueCommand({ ...request, SecretString: 'other' }));
    await expect(different).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await get()).toBe('second');
  });
});

describe('strictness and faults', () => {
  test('an operation or a parameter is not known: a typed refusal, nothing is changed', async () => {
    const { client, get } = await start();

    await expect(client.send(new ListSecretsCommand({}))).rejects.toMatchObject({ name: 'UnknownOperationException' });
    await expect(client.send(new UpdateSecretCommand({ SecretId, SecretString: 'x' }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
    const binary = new PutSecretValueCommand({ SecretId, SecretBinary: Buffer.from('x') });
    await expect(client.send(binary)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    expect(await get()).toBe('{"password":"first"}');
  });

  test('a request is not signed or no JSON: refused without a word of its body', async () => {
    const { server } = await start();
    const target = { 'x-amz-target': 'secretsmanager.PutSecretValue' };

    const unsigned = await fetch(server.endpoint, {
      method: 'POST',
      headers: target,
      body: JSON.stringify({ SecretId, SecretString: 'hidden' }),
    });
    const broken = await fetch(server.endpoint, { method: 'POST', headers: target, body: '{"SecretString":"hidden' });

    expect([unsigned.status, broken.status]).toEqual([400, 400]);
    const texts = [await unsigned.text(), await broken.text()];
    expect(texts).toEqual([
      expect.stringContaining('AccessDeniedException'),
      expect.stringContaining('SerializationException'),
    ]);
    expect(texts.join('')).not.toContain('hidden');
  });

  test('requests are recorded: operation and secret, never a value', async () => {
    const { server, client, get } = await start();

    await get();
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'not to be seen' }));

    expect(server.requests()).toEqual([
      { operation: 'GetSecretValue', secretId: SecretId },
      { operation: 'PutSecretValue', secretId: SecretId },
    ]);
    expect(JSON.stringify(server.requests())).not.toContain('not to be seen');
  });

  test('a fault is injected twice: the third attempt of the SDK is served', async () => {
    const fault = () => ({ status: 500, code: 'InternalServiceError', times: 2 });
    const { client } = await start({ fault }, { maxAttempts: 3 });

    const { $metadata } = await client.send(new GetSecretValueCommand({ SecretId }));

    expect($metadata.attempts).toBe(3);
  });

  test('a fault has no end: the SDK gives up with its code', async () => {
    const { get } = await start({ fault: () => ({ status: 400, code: 'DecryptionFailure' }) });

    await expect(get()).rejects.toMatchObject({ name: 'DecryptionFailure' });
  });

  test('the connection is dropped: the SDK sees a broken connection', async () => {
    const { get } = await start({ fault: () => 'drop' });

    await expect(get()).rejects.toThrow(/ECONNRESET|socket hang up/);
  });

  test('the server is stopped: nothing is served any more', async () => {
    const { server, get } = await start();

    await server.stop();

    await expect(get()).rejects.toThrow(/ECONNREFUSED/);
  });
});
