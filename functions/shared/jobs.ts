// The names of the jobs; one folder under functions/ each.

export const jobNames = [
  'bootstrap',
  'migrate',
  'backup',
  'verify',
  'restore-drill',
  'purge',
  'expire',
  'health',
  'report',
] as const;

export type JobName = (typeof jobNames)[number];
