// A process of its own that makes one drill with the settings it gets as JSON, so that a test can kill it with -9.
import type { RestoreDrillJob } from '../../functions/restore-drill/run-restore-drill.ts';
import { runInline } from '../../functions/restore-drill/steps/run-inline.ts';
import { recordedContext } from './job-context.ts';

const { settings, event }: Pick<RestoreDrillJob, 'settings' | 'event'> = JSON.parse(process.argv[2] ?? '{}');

await runInline({ ...recordedContext(), settings, event });
