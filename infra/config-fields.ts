// The kinds of value in nightshift.config.ts, each with its own words for what is allowed.
// Used by the schema files config.ts, schedule-config.ts and job-config.ts.
import { z } from 'zod';

/** A whole number with its range in the message. */
export function wholeNumber(min: number, max: number, unit: string) {
  const allowed = `must be a whole number of ${unit} from ${min} to ${max}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
}

/** A number that becomes a variable of a function: its range is the one that the function's environment.ts allows. */
export function variable(setting: { allowed: string; parse(text: string): number | undefined }) {
  const allowed = `must be ${setting.allowed}`;
  return z.int(allowed).refine((value) => setting.parse(String(value)) !== undefined, allowed);
}

/** A text that fits the pattern, blanks around it cut off. */
export function matching(pattern: RegExp, allowed: string) {
  return z.string(allowed).trim().regex(pattern, allowed);
}

/** A list with at least `min` items. */
export function listOf<T extends z.ZodType>(item: T, min: number, allowed: string) {
  return z.array(item, allowed).min(min, allowed);
}

const PORT = 'must be a port from 1 to 65535';

export const portNumber = z.int(PORT).min(1, PORT).max(65_535, PORT);

export const arnOfSecret = matching(
  /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$/,
  'must be the full ARN of a Secrets Manager secret',
);

export const arnOfKey = matching(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/\S+$/, 'must be the ARN of a KMS key');

/** The id of a security group, of what `of` says. */
export function securityGroupId(of: string) {
  return matching(/^sg-[0-9a-f]{8,17}$/, `must be the id of the security group of ${of}`);
}
