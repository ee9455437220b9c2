// The names of the jobs; one folder under functions/ each.

export const jobNames = [
  'bootstrap',
  'migrate',
  'backup',
  'restore-drill',
  'purge',
  'expire',
  'health',
  'report',
] as const;

export type JobName = (typeof jobNames)[number];
