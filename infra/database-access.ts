// How the functions reach the database: VPC, security group and one secret per role, with a key of their own.
// No password is ever written here: Secrets Manager generates it, and bootstrap gives it to the role.
import { Annotations, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, Peer, Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DatabaseConfig } from './config.ts';
import { type SecretRole, secretName } from './secret-role.ts';

/** Long enough that nobody tries, without the characters that break a connection string. */
const PASSWORD_LENGTH = 40;

export class DatabaseAccess extends Construct {
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
  readonly key: Key;
  private readonly secrets: Readonly<Record<SecretRole, Secret>>;

  constructor(scope: Construct, id: string, props: { config: DatabaseConfig }) {
    super(scope, id);
    const { config } = props;
    // By attributes, so that synth needs neither credentials nor network.
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', config.vpc);
    // Route tables would only serve to add routes, which this stack never does.
    Annotations.of(this).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');

    const databaseGroup = SecurityGroup.fromSecurityGroupId(this, 'DatabaseGroup', config.vpc.databaseSecurityGroupId);
    const group = new SecurityGroup(this, 'FunctionGroup', {
      vpc: this.vpc,
      description: `Nightshift ${config.name}: functions that use the database`,
      allowAllOutbound: false,
    });
    group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'S3, Secrets Manager and CloudWatch');
    group.connections.allowTo(databaseGroup, Port.tcp(config.server.port), `Nightshift ${config.name}`);
    const { target } = config.restoreDrill;
    const targetKnown =
      target?.securityGroupId === config.vpc.databaseSecurityGroupId && target.port === config.server.port;
    // The rule that is there already would be refused as a duplicate.
    if (target !== undefined && !targetKnown) {
      const targetGroup = SecurityGroup.fromSecurityGroupId(this, 'DrillTargetGroup', target.securityGroupId);
      group.connections.allowTo(targetGroup, Port.tcp(target.port), `Nightshift ${config.name}: restore drill`);
    }
    this.securityGroup = group;

    this.key = new Key(this, 'SecretKey', {
      description: `Nightshift ${config.name}: database secrets`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const secretOf = (role: SecretRole) =>
      new Secret(this, `${role.charAt(0).toUpperCase()}${role.slice(1)}Secret`, {
        secretName: secretName(config.name, role),
        description: `Database role nightshift_${role} of ${config.name}`,
        encryptionKey: this.key,
        // A changed host or port makes a new password too: run bootstrap after such a deploy.
        generateSecretString: {
          secretStringTemplate: JSON.stringify({
            engine: 'postgres',
            host: config.server.host,
            port: config.server.port,
            // The drill makes databases of its own, so it starts from the one that is always there.
            dbname: role === 'drill' ? 'postgres' : config.server.dbname,
            username: `nightshift_${role}`,
          }),
          generateStringKey: 'password',
          passwordLength: PASSWORD_LENGTH,
          excludePunctuation: true,
        },
      });
    this.secrets = {
      backup: secretOf('backup'),
      drill: secretOf('drill'),
      purge: secretOf('purge'),
      health: secretOf('health'),
      migrate: secretOf('migrate'),
    };
  }

  /** The full ARN of the secret of a role. */
  secretArn(role: SecretRole): string {
    return this.secrets[role].secretArn;
  }

  /** Reading the secrets of the roles given and nothing else; their key opens for those secrets only. */
  mayRead(...roles: [SecretRole, ...SecretRole[]]): PolicyStatement[] {
    const arns = roles.map((role) => this.secretArn(role));
    return [
      new PolicyStatement({ sid: 'ReadSecret', actions: ['secretsmanager:GetSecretValue'], resources: arns }),
      new PolicyStatement({
        sid: 'UseSecretKey',
        actions: ['kms:Decrypt'],
        resources: [this.key.keyArn],
        conditions: {
          StringEquals: {
            'kms:ViaService': `secretsmanager.${Stack.of(this).region}.amazonaws.com`,
            'kms:EncryptionContext:SecretARN': arns,
          },
        },
      }),
    ];
  }
}
