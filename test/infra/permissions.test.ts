import { describe, expect, test } from 'vitest';

import { jobNames } from '../../infra/job-name.ts';
import { wildcardActions } from '../../infra/wildcard-actions.ts';
import { allowedOn, roles, type Statement, statementsOf, statementsOfJob } from './role-statements.ts';
import { drillTarget, ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const synthesized = synthesize([sampleDatabase(), ordersDatabase()]);

describe.each(['sample', 'orders'])('roles of %s', (database) => {
  const template = templateOf(synthesized, database);
  const may = (job: string, action: string) => allowedOn(statementsOfJob(template, database, job), action);
  const actionsOf = (job: string) =>
    statementsOfJob(template, database, job)
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(({ actions }) => actions);
  const under = (...patterns: string[]) => patterns.map((pattern) => `BUCKET/${database}/${pattern}`).toSorted();

  test('an action on all resources: it stands, with its reason, in the list of explained ones', () => {
    const unexplained = [...roles(template)].flatMap(([role, statements]) =>
      statements
        .filter(({ effect, resources }) => effect === 'Allow' && resources.includes('*'))
        .flatMap(({ actions }) => actions)
        .filter((action) => (wildcardActions.get(action) ?? '').length < 20)
        .map((action) => `${role}: ${action}`),
    );

    expect(unexplained).toEqual([]);
  });

  test('every action: it is named in full, never with a *', () => {
    const vague = [...roles(template)].flatMap(([role, statements]) =>
      statements.flatMap(({ actions }) =>
        actions.filter((action) => action.includes('*')).map((one) => `${role}: ${one}`),
      ),
    );

    expect(vague).toEqual([]);
  });

  test('managed policies: no role has one', () => {
    for (const role of Object.values(template.findResources('AWS::IAM::Role')))
      expect(role['Properties'].ManagedPolicyArns).toBeUndefined();
  });

  test('the code of a function in the VPC: it may not use the network interface actions of its role itself', () => {
    for (const job of ['backup', 'restore-drill', 'purge', 'health', 'migrate', 'bootstrap']) {
      const denied = statementsOfJob(template, database, job).filter(({ effect }) => effect === 'Deny');
      expect(denied).toHaveLength(1);
      expect(denied[0]?.actions).toContain('ec2:CreateNetworkInterface');
      expect(JSON.stringify(denied[0]?.condition)).toContain(`:function:nightshift-${database}-${job}"`);
    }
  });

  test('jobs without the database: they have no network interface, no secret and no VPC', () => {
    for (const job of ['verify', 'expire', 'report']) {
      expect(actionsOf(job).filter((action) => /^(ec2|secretsmanager):/.test(action))).toEqual([]);
      const functions = template.findResources('AWS::Lambda::Function', {
        Properties: { FunctionName: `nightshift-${database}-${job}` },
      });
      expect(Object.values(functions)[0]?.['Properties'].VpcConfig).toBeUndefined();
    }
  });

  test.each([...jobNames])('%s: it may put its own run record', (job) => {
    expect(may(job, 's3:PutObject')).toContain(`BUCKET/${database}/runs/${job}/*`);
  });

  test.each([...jobNames])('%s: its log goes to its own group and failed events to the queue of this stack', (job) => {
    expect(may(job, 'logs:PutLogEvents')).toEqual([expect.stringMatching(/^<\w+Log\w+\.Arn>$/)]);
    expect(may(job, 'sqs:SendMessage')).toEqual([expect.stringMatching(/^<EventQueuesFailed\w+\.Arn>$/)]);
  });

  test('backup: it may put and find backups and claims, and delete nothing and read no archive', () => {
    expect(may('backup', 's3:PutObject')).toEqual(
      under(
        '*/archive/*',
        '*/globals.sql',
        '*/inventory.json',
        '*/manifest.json',
        '*/plan.json',
        '*/work/*',
        'claims/*',
        'runs/backup/*',
      ),
    );
    expect(may('backup', 's3:GetObject')).toEqual(under('*/manifest.json', '*/plan.json', '*/work/*', 'claims/*'));
    expect(may('backup', 's3:AbortMultipartUpload')).toEqual(under('*/archive/*'));
    expect(may('backup', 's3:ListMultipartUploadParts')).toEqual(under('*/archive/*'));
    expect(may('backup', 's3:ListBucketMultipartUploads')).toEqual(['BUCKET']);
    expect(actionsOf('backup').filter((action) => action.startsWith('s3:Delete'))).toEqual([]);
  });

  test('backup: it may use the key both ways, which a multipart upload needs', () => {
    const [key] = may('backup', 'kms:GenerateDataKey');

    expect(key).toMatch(/^<BackupStoreKey\w+\.Arn>$/);
    expect(may('backup', 'kms:Decrypt')).toContain(key);
  });

  test('verify: it may read every part of a backup and leave evidence, and neither put one nor read a claim', () => {
    expect(may('verify', 's3:GetObject')).toEqual(
      under('*/archive/*', '*/globals.sql', '*/inventory.json', '*/manifest.json', '*/verified/*'),
    );
    expect(may('verify', 's3:PutObject')).toEqual(under('*/verified/*', 'runs/verify/*'));
    expect(actionsOf('verify').filter((action) => action.startsWith('s3:'))).toEqual([
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ]);
    expect(may('verify', 'kms:Decrypt')).toHaveLength(1);
  });

  test('the workflow: it may invoke backup and verify, run and stop its own items, and deliver its log', () => {
    const statements = roles(template).get(`Nightshift ${database}: workflow of backup`) ?? [];
    const machine = `nightshift-${database}-backup`;

    expect(allowedOn(statements, 'lambda:InvokeFunction')).toEqual([
      expect.stringMatching(/^<BackupFunction\w+\.Arn>$/),
      expect.stringMatching(/^<VerifyFunction\w+\.Arn>$/),
    ]);
    expect(allowedOn(statements, 'states:StartExecution')).toEqual([
      expect.stringMatching(new RegExp(`:stateMachine:${machine}$`)),
    ]);
    for (const action of ['states:DescribeExecution', 'states:StopExecution']) {
      expect(allowedOn(statements, action)).toEqual([
        expect.stringMatching(new RegExp(`:execution:${machine}/\\*$`)),
        expect.stringMatching(new RegExp(`:execution:${machine}:\\*$`)),
      ]);
    }
    expect(statements.flatMap(({ actions }) => actions).filter((action) => !/^(logs|xray):/.test(action))).toHaveLength(
      4,
    );
  });

  test('the workflow of the drill: it may invoke the drill and deliver its log, and nothing else', () => {
    const statements = roles(template).get(`Nightshift ${database}: workflow of restore-drill`) ?? [];

    expect(allowedOn(statements, 'lambda:InvokeFunction')).toEqual([
      expect.stringMatching(/^<RestoreDrillFunction\w+\.Arn>$/),
    ]);
    expect(statements.flatMap(({ actions }) => actions).filter((action) => !/^(logs|xray):/.test(action))).toHaveLength(
      1,
    );
  });

  test.each([
    ['migrate', 'Migrate'],
    ['purge', 'Purge'],
  ])('the workflow of %s: it may invoke its function and deliver its log, and nothing else', (job, id) => {
    const statements = roles(template).get(`Nightshift ${database}: workflow of ${job}`) ?? [];

    expect(allowedOn(statements, 'lambda:InvokeFunction')).toEqual([
      expect.stringMatching(new RegExp(`^<${id}Function\\w+\\.Arn>$`)),
    ]);
    expect(statements.flatMap(({ actions }) => actions).filter((action) => !/^(logs|xray):/.test(action))).toHaveLength(
      1,
    );
  });

  test('restore-drill: it may read backups and leave evidence, and put no part of a backup', () => {
    expect(may('restore-drill', 's3:GetObject')).toEqual(
      under('*/archive/*', '*/drilled/*', '*/inventory.json', '*/manifest.json', '*/verified/*'),
    );
    expect(may('restore-drill', 's3:PutObject')).toEqual(under('*/drilled/*', 'runs/restore-drill/*'));
  });

  test('expire: it may delete versions of backups only, and put nothing but its run record', () => {
    expect(may('expire', 's3:DeleteObjectVersion')).toEqual(under('2???????T??????Z*'));
    expect(may('expire', 's3:DeleteObject')).toEqual([]);
    expect(may('expire', 's3:PutObject')).toEqual(under('runs/expire/*'));
    // Claims tell whether what looks like a remainder is a backup that is being made, run records when it ran last.
    expect(may('expire', 's3:GetObject')).toEqual(
      under('*/drilled/*', '*/manifest.json', '*/verified/*', 'claims/*', 'runs/expire/*'),
    );
    expect(may('expire', 's3:GetObjectRetention')).toEqual(under('2???????T??????Z*'));
    expect(may('expire', 's3:AbortMultipartUpload')).toEqual(under('2???????T??????Z*/archive/*'));
    for (const action of ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'])
      expect(may('expire', action)).toEqual(['BUCKET']);
    expect(actionsOf('expire').filter((action) => action.startsWith('s3:'))).toHaveLength(8);
  });

  test('jobs other than expire: none may delete from the bucket', () => {
    for (const job of jobNames.filter((one) => one !== 'expire'))
      expect(actionsOf(job).filter((action) => /^s3:(Delete|PutLifecycle|PutBucket|Bypass)/.test(action))).toEqual([]);
  });

  test('report: it may read records, manifests and evidence, and put reports', () => {
    expect(may('report', 's3:GetObject')).toEqual(under('*/drilled/*', '*/manifest.json', '*/verified/*', 'runs/*'));
    expect(may('report', 's3:PutObject')).toEqual(under('reports/*', 'runs/report/*'));
  });

  test.each(['migrate', 'bootstrap'])('%s: in the bucket it may put its run record, and read nothing', (job) => {
    expect(actionsOf(job).filter((action) => action.startsWith('s3:'))).toEqual(['s3:PutObject']);
    expect(may(job, 's3:PutObject')).toEqual(under(`runs/${job}/*`));
    expect(may(job, 'kms:GenerateDataKey')).toHaveLength(1);
  });

  test('health: it may keep samples, and read manifests and evidence; archives only to ask S3 whether they are copied', () => {
    const evidence = ['*/manifest.json', '*/verified/*', '*/drilled/*', 'runs/restore-drill/*'];
    const copies = database === 'orders' ? ['*/archive/*', '*/globals.sql'] : [];

    expect(may('health', 's3:PutObject')).toEqual(under('health/*', 'runs/health/*'));
    expect(may('health', 's3:GetObject')).toEqual(under('health/*', ...evidence, ...copies));
  });

  test('listing: it is limited to this database, and an object that is missing is still answered as missing', () => {
    for (const job of jobNames) {
      for (const { actions, condition } of statementsOfJob(template, database, job)) {
        if (!actions.some((action) => action.startsWith('s3:ListBucket'))) continue;
        const prefixes = job === 'purge' ? ['purge-archive/*', 'purged/*'] : ['*'];
        // StringLike without IfExists would make S3 answer 403 in place of 404 to a get or head.
        expect(condition).toEqual({
          StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${database}/${prefix}`) },
        });
      }
    }
  });

  test.each([
    ['backup', 'Backup'],
    ['restore-drill', 'Drill'],
    ['purge', 'Purge'],
    ['health', 'Health'],
    ['migrate', 'Migrate'],
  ])('%s: it may read the secret of its own role and no other', (job, secret) => {
    expect(may(job, 'secretsmanager:GetSecretValue')).toEqual([
      expect.stringMatching(new RegExp(`^<DatabaseAccess${secret}Secret\\w+>$`)),
    ]);
    const decrypt = statementsOfJob(template, database, job).find(({ sid }) => sid === 'UseSecretKey');
    expect(JSON.stringify(decrypt?.condition)).toMatch(
      new RegExp(`"kms:EncryptionContext:SecretARN":\\[\\{"Ref":"DatabaseAccess${secret}Secret\\w+"\\}\\]`),
    );
  });

  test('the secret of the administrator: only bootstrap may read it', () => {
    const admin = database === 'sample' ? sampleDatabase().adminSecretArn : ordersDatabase().adminSecretArn;
    const readers = [...roles(template)].filter(([, statements]) =>
      statements.some(({ resources }) => resources.includes(admin)),
    );

    expect(readers.map(([role]) => role)).toEqual([`Nightshift ${database}: bootstrap`]);
    expect(may('bootstrap', 'secretsmanager:GetSecretValue')).toHaveLength(6);
  });

  test('the ARN of a secret: it is the full one, which a Ref of a secret gives', () => {
    const variables = Object.values(template.findResources('AWS::Lambda::Function')).flatMap((one) =>
      Object.entries(one['Properties'].Environment.Variables).filter(([name]) => name === 'DATABASE_SECRET_ARN'),
    );

    expect(variables).toHaveLength(5);
    for (const [, value] of variables) expect(value).toEqual({ Ref: expect.stringMatching(/Secret/) });
  });

  test('the role of a schedule: it may start exactly its own function or workflow and keep what it could not deliver', () => {
    const starters = [...roles(template)].filter(([role]) => role.startsWith(`Nightshift ${database}: starts `));

    expect(starters).toHaveLength(6);
    for (const workflow of ['BackupWorkflow', 'RestoreDrillWorkflow', 'PurgeWorkflow'])
      expect(starters.map(([role]) => role)).toContain(`Nightshift ${database}: starts ${workflow}`);
    for (const [role, statements] of starters) {
      const started = role.split(' ').at(-1) ?? '';
      const isWorkflow = started.endsWith('Workflow');
      expect(allowedOn(statements, isWorkflow ? 'states:StartExecution' : 'lambda:InvokeFunction')).toEqual([
        expect.stringMatching(
          new RegExp(isWorkflow ? `^<${started}StateMachine\\w+>$` : `^<${started}Function\\w+\\.Arn>$`),
        ),
      ]);
      expect(allowedOn(statements, 'sqs:SendMessage')).toHaveLength(1);
      expect(statements).toHaveLength(2);
    }
  });

  test('permissions that CDK grants by itself: there are none', () => {
    for (const type of ['AWS::Lambda::Permission', 'AWS::IAM::ManagedPolicy'])
      expect(propertiesOf(template, type)).toEqual([]);
    // The one that is ours and stands outside its role: see backup-replica.ts.
    const outside = Object.keys(template.findResources('AWS::IAM::Policy'));
    expect(outside).toEqual(database === 'orders' ? [expect.stringMatching(/^BackupStoreReplicationPolicy/)] : []);
  });
});

describe('bucket policy', () => {
  const [policy] = Object.values(templateOf(synthesized, 'sample').findResources('AWS::S3::BucketPolicy'));
  const statements: Statement[] = statementsOf(policy?.['Properties'].PolicyDocument);

  test('a request over plain HTTP: everything is denied to everybody', () => {
    const denied = statements.find(({ condition }) => JSON.stringify(condition).includes('aws:SecureTransport'));

    expect(denied).toMatchObject({
      effect: 'Deny',
      actions: ['s3:*'],
      condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    expect(denied?.resources).toHaveLength(2);
  });

  test.each(['*/manifest.json', '*/claims/*'])(
    'a put of %s without "only if it does not exist": it is denied',
    (key) => {
      const denied = statements.filter(({ resources }) => resources.some((resource) => resource.endsWith(`>/${key}`)));

      expect(denied).toEqual([
        expect.objectContaining({
          effect: 'Deny',
          actions: ['s3:PutObject'],
          condition: { Null: { 's3:if-none-match': 'true' } },
        }),
      ]);
    },
  );
});

describe('optional permissions', () => {
  test('the secret of the administrator has a key of its own: bootstrap may open that secret with it', () => {
    const { adminSecretArn, adminSecretKeyArn = '' } = ordersDatabase();
    const statements = statementsOfJob(templateOf(synthesized, 'orders'), 'orders', 'bootstrap');

    expect(statements).toContainEqual(
      expect.objectContaining({
        actions: ['kms:Decrypt'],
        resources: [adminSecretKeyArn],
        condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': adminSecretArn } },
      }),
    );
  });

  test('tracing is off: no role may send traces', () => {
    const text = JSON.stringify([...roles(templateOf(synthesized, 'sample'))]);

    expect(text).not.toContain('xray');
    expect(JSON.stringify([...roles(templateOf(synthesized, 'orders'))])).toContain('xray:PutTraceSegments');
  });

  const { instanceId, ...unwatchedTarget } = drillTarget;
  const sampleServer = sampleDatabase().server;

  test.each([
    ['no instance is named', {}, 0],
    ['the instance is named', { server: { ...sampleServer, instanceId: 'sample-1' } }, 1],
    ['the drill target is named', { restoreDrill: { target: drillTarget } }, 1],
    [
      'the instance is named, but the drill goes to a target without a name',
      { server: { ...sampleServer, instanceId }, restoreDrill: { target: unwatchedTarget } },
      0,
    ],
  ])('%s: restore-drill, and nobody else, may read metrics only when it has a use for them', (_, replaced, times) => {
    const template = templateOf(synthesize([sampleDatabase(replaced)]), 'sample');
    const readers = [...roles(template)].filter(([, statements]) =>
      statements.some(({ actions }) => actions.some((action) => action.startsWith('cloudwatch:'))),
    );

    expect(readers.map(([role]) => role)).toEqual(times === 0 ? [] : ['Nightshift sample: restore-drill']);
    expect(allowedOn(statementsOfJob(template, 'sample', 'restore-drill'), 'cloudwatch:GetMetricData')).toEqual(
      Array.from({ length: times }, () => '*'),
    );
  });

  test('a drill target: restore-drill alone may read its secret and use its key, and not the secret of its own role', () => {
    const template = templateOf(synthesize([sampleDatabase({ restoreDrill: { target: drillTarget } })]), 'sample');
    const statements = statementsOfJob(template, 'sample', 'restore-drill');

    expect(allowedOn(statements, 'secretsmanager:GetSecretValue')).toEqual([drillTarget.secretArn]);
    expect(statements).toContainEqual(
      expect.objectContaining({
        actions: ['kms:Decrypt'],
        resources: [drillTarget.secretKeyArn],
        condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': drillTarget.secretArn } },
      }),
    );
    const readers = [...roles(template)].filter(([, all]) =>
      all.some(({ resources }) =>
        resources.some((one) => one === drillTarget.secretArn || one === drillTarget.secretKeyArn),
      ),
    );
    expect(readers.map(([role]) => role)).toEqual(['Nightshift sample: restore-drill']);
  });

  test('migrations with the deployment: that function may what migrate may, and the trigger may invoke nothing else', () => {
    const template = templateOf(synthesize([sampleDatabase({ migrate: { atDeploy: true } })]), 'sample');
    const own = (job: string) =>
      statementsOfJob(template, 'sample', job)
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ sid, actions, resources }) => (sid === 'WriteLog' ? [] : [{ sid, actions, resources }]));
    const invoking = [...roles(template)].flatMap(([role, statements]) =>
      allowedOn(statements, 'lambda:InvokeFunction').map((resource) => [role, resource]),
    );

    expect(own('migrate-at-deploy')).toEqual(own('migrate'));
    expect(invoking.filter(([, resource = '']) => resource.includes('AtDeploy'))).toEqual([
      ['undefined', expect.stringMatching(/^<MigrateAtDeployFunction\w+\.Arn>:\*$/)],
    ]);
    expect(invoking.filter(([role]) => role === 'undefined')).toHaveLength(1);
  });
});
