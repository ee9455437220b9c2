// Knows which states may not be started any more, because the map or parallel around them has failed.
// The interpreter goes on starting the waiting items of a failed map, and retries inside it; AWS does neither.
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { walkStates } from './walk-states.ts';

/** What the interpreter tells of a state. */
interface StateEvent {
  type: string;
  state?: { name: string; type: string };
}

export interface StoppedStates {
  /** Listens to the events of an execution until it ends. */
  follow(events: AsyncIterable<StateEvent>): Promise<void>;
  has(stateName: string): boolean;
}

/** No state is stopped at first. A map or parallel that is entered again, by a retry or a loop, frees its states. */
export function createStoppedStates(definition: StateMachineDefinition): StoppedStates {
  const walked = walkStates(definition.States);
  const insideOf = (container: string) =>
    walked.filter(({ inside }) => inside.includes(container)).map(({ name }) => name);
  const stopped = new Set<string>();
  return {
    has: (stateName) => stopped.has(stateName),
    follow: async (events) => {
      for await (const { type, state } of events) {
        if (state?.type !== 'Map' && state?.type !== 'Parallel') continue;
        if (type === 'StateFailed') for (const name of insideOf(state.name)) stopped.add(name);
        if (type === 'StateEntered' || type === 'StateRetried')
          for (const name of insideOf(state.name)) stopped.delete(name);
      }
    },
  };
}
