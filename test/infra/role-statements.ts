// Reads the IAM statements of a synthesized template as plain text, so that a test can say what a role may do.
import type { Template } from 'aws-cdk-lib/assertions';

export interface Statement {
  sid: string;
  effect: 'Allow' | 'Deny';
  actions: string[];
  resources: string[];
  condition: unknown;
}

/** Text of a template value: references as `<LogicalId>` and `<LogicalId.Attribute>`, joins joined. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('Ref' in value) return `<${textOf(value.Ref)}>`;
  if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt'])) return `<${value['Fn::GetAtt'].join('.')}>`;
  if ('Fn::Join' in value && Array.isArray(value['Fn::Join'])) {
    const [separator, parts] = value['Fn::Join'];
    if (Array.isArray(parts)) return parts.map(textOf).join(textOf(separator));
  }
  throw new Error(`this test cannot read ${JSON.stringify(value)}`);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** The statements of a policy document. */
export function statementsOf(document: { Statement: unknown[] }): Statement[] {
  return document.Statement.map((raw) => {
    const statement: Record<string, unknown> = Object.fromEntries(Object.entries(raw ?? {}));
    return {
      sid: textOf(statement['Sid'] ?? ''),
      effect: statement['Effect'] === 'Deny' ? 'Deny' : 'Allow',
      actions: listOf(statement['Action']).map(textOf),
      resources: listOf(statement['Resource']).map(textOf),
      condition: statement['Condition'],
    };
  });
}

/** What every role of the template may do, by the role's description, e.g. `Nightshift sample: backup`. */
export function roles(template: Template): Map<string, Statement[]> {
  const outside = Object.values(template.findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties);
  return new Map(
    Object.entries(template.findResources('AWS::IAM::Role')).map(([id, { Properties }]) => [
      String(Properties.Description),
      [
        ...listOf(Properties.Policies ?? []),
        // That of S3's copying cannot stand in its role: the bucket needs the role, and the policy the bucket.
        ...outside.filter(({ Roles }) => listOf(Roles).some((role) => textOf(role) === `<${id}>`)),
      ].flatMap((policy) => statementsOf(Reflect.get(Object(policy), 'PolicyDocument'))),
    ]),
  );
}

/** The statements of one job's function. */
export function statementsOfJob(template: Template, database: string, job: string): Statement[] {
  const statements = roles(template).get(`Nightshift ${database}: ${job}`);
  if (statements === undefined) throw new Error(`no role for job "${job}"`);
  return statements;
}

/** The resources on which a role is allowed an action; the bucket is written as BUCKET. */
export function allowedOn(statements: readonly Statement[], action: string): string[] {
  return statements
    .filter(({ effect, actions }) => effect === 'Allow' && actions.includes(action))
    .flatMap(({ resources }) => resources)
    .map((resource) => resource.replace(/^<BackupStoreBucket[0-9A-F]+\.Arn>/, 'BUCKET'))
    .toSorted();
}
