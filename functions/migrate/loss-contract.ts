// What a reversal loses, as describe-losses.ts tells it and as the result of migrate shows it.
import * as z from 'zod';

const count = z.int().min(0);

export const lossSchema = z.strictObject({
  object: z.string().describe('what is lost, as `column users.locked_until`'),
  says: z.string().describe('the same for a person, as `drops column users.locked_until: 1,204 non-null values`'),
  lostBy: z.string().describe('first line of the statement'),
  rows: count.nullable().describe('counted: rows, or values that are not null; null when they could not be counted'),
  estimatedRows: count.nullable().describe('from the statistics of the server; null when it does not know'),
  bytes: count.nullable().describe('size on disk with indexes; null for rows and columns'),
});

export type Loss = z.output<typeof lossSchema>;
