// How long CloudWatch keeps a log, in CDK's own words.
import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** CDK's own name for a number of days; the config allows only those that it knows. */
export function retentionOf(days: number): RetentionDays {
  const retention = Object.values(RetentionDays).find((value): value is RetentionDays => Number(value) === days);
  if (retention === undefined) throw new Error(`CloudWatch Logs knows no retention of ${days} days`);
  return retention;
}
