// What starts a report and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';
import { jobNames } from '../shared/jobs.ts';

export const reportEvent = jobEventSchema('report', {}).describe(
  'Writes the report of the night from what the other jobs left in the bucket. Opens no database.',
);

export type ReportEvent = z.output<typeof reportEvent>;

export const verdicts = ['ok', 'needs attention', 'could not tell'] as const;
export type Verdict = (typeof verdicts)[number];

export const reportResult = z.strictObject({
  key: z.string().describe('S3 key of the HTML file'),
  verdict: z.enum(verdicts).describe('"ok" only when every expected job was seen and nothing is unknown'),
  reasons: z.array(z.string()).describe('why the verdict is not ok, the most urgent first'),
  jobsSeen: z.array(z.enum(jobNames)),
  jobsNotSeen: z.array(z.enum(jobNames)).describe('expected jobs without a run within their window'),
});

export type ReportResult = z.output<typeof reportResult>;
