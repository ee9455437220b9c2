// What every action of `npm run purge` that logs in works with.
import type { Clock } from '../../functions/shared/clock.ts';
import type { OpenLogin } from '../login/open-login.ts';
import type { DatabaseAction, PurgeArguments } from './parse-arguments.ts';
import type { PurgeProgress } from './show-progress.ts';

export interface PurgeCommand {
  readonly options: PurgeArguments;
  readonly action: DatabaseAction;
  readonly opened: OpenLogin;
  readonly clock: Clock;
  readonly progress: PurgeProgress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether stdout may have colours. */
  readonly coloured: boolean;
  /** Writes to stdout. */
  print(this: void, text: string): void;
}
