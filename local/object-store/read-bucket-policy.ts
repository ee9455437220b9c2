// The Deny statements of a bucket policy in S3's JSON. The store has no identities (every signed caller is the owner),
// so Allow changes nothing here; a Deny that cannot be decided is refused at start, never skipped.
import { z } from 'zod';
import { JobFailure } from '../../functions/shared/job-failure.ts';

/** Values of the condition keys for one request; undefined where the request has none. */
export type PolicyContext = Readonly<Record<(typeof conditionKeys)[number], string | undefined>>;

export interface BucketPolicy {
  /** True when a statement denies the action on the resource (an ARN). */
  denies(action: string, resource: string, context: PolicyContext): boolean;
}

const conditionKeys = [
  's3:if-none-match',
  's3:if-match',
  's3:ObjectCreationOperation',
  'aws:SecureTransport',
  's3:TlsVersion',
] as const;

// Loopback has no TLS and no wire to listen on: requests count as sent over TLS, so "deny plain HTTP" changes nothing.
export const loopbackTransport = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' } as const;

const oneOrMore = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)]);
const values = z
  .union([z.boolean(), z.number()])
  .transform((value) => [String(value)])
  .or(oneOrMore);
const operator = z.partialRecord(z.enum(conditionKeys), values);
const everybody = z.union([
  z.literal('*'),
  z.strictObject({ AWS: z.union([z.literal('*'), z.tuple([z.literal('*')])]) }),
]);

const denySchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Deny'),
  Principal: everybody,
  Action: oneOrMore,
  Resource: oneOrMore,
  Condition: z.strictObject({ Null: operator, Bool: operator, NumericLessThan: operator }).partial().optional(),
});
const policySchema = z.object({
  Statement: z.array(z.union([denySchema, z.looseObject({ Effect: z.literal('Allow') })])),
});

type DenyStatement = z.output<typeof denySchema>;

function isDeny(statement: z.output<typeof policySchema>['Statement'][number]): statement is DenyStatement {
  return statement.Effect === 'Deny';
}

/** Reads a policy; throws `settings.wrong` for a Deny with a principal, operator or condition key that is not known here. */
export function readBucketPolicy(bucket: string, policy: unknown): BucketPolicy {
  const parsed = policySchema.safeParse(policy ?? { Statement: [] });
  if (!parsed.success) {
    throw new JobFailure({
      code: 'settings.wrong',
      problem: `the policy of local bucket "${bucket}" cannot be decided: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}`,
      safeState: 'The local object store was not started',
      hint: `a Deny may have Principal "*", the operators Null, Bool and NumericLessThan, and the keys ${conditionKeys.join(', ')}`,
    });
  }
  const statements = parsed.data.Statement.filter(isDeny);
  return {
    denies: (action, resource, context) =>
      statements.some(
        (statement) =>
          statement.Action.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
          statement.Resource.some((pattern) => matches(pattern, resource)) &&
          holds(statement.Condition ?? {}, context),
      ),
  };
}

function holds(condition: NonNullable<DenyStatement['Condition']>, context: PolicyContext): boolean {
  const all = (
    block: z.output<typeof operator> | undefined,
    test: (actual: string | undefined, wanted: string) => boolean,
  ) => conditionKeys.every((key) => block?.[key]?.some((wanted) => test(context[key], wanted)) ?? true);
  return (
    all(condition.Null, (actual, wanted) => String(actual === undefined) === wanted) &&
    all(condition.Bool, (actual, wanted) => actual === wanted) &&
    all(condition.NumericLessThan, (actual, wanted) => actual !== undefined && Number(actual) < Number(wanted))
  );
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
