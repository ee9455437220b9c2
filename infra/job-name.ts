// The jobs as the infrastructure knows them. infra may import nothing but the settings of the functions,
// so the list stands here a second time; a test compares the two.

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
