// All states of a state machine, those inside maps and parallel branches too.
import type { StateMachineDefinition } from 'aws-local-stepfunctions';

type States = StateMachineDefinition['States'];
export type AnyState = States[string];

interface WalkedState {
  name: string;
  state: AnyState;
  /** Names of the maps and parallels around it, the outermost first. */
  inside: readonly string[];
}

/** Every state once, outer ones before inner ones. */
export function walkStates(states: States, inside: readonly string[] = []): WalkedState[] {
  return Object.entries(states).flatMap(([name, state]) => {
    const around = [...inside, name];
    const inner =
      state.Type === 'Map'
        ? walkStates((state.ItemProcessor ?? state.Iterator)?.States ?? {}, around)
        : state.Type === 'Parallel'
          ? state.Branches.flatMap((branch) => walkStates(branch.States, around))
          : [];
    return [{ name, state, inside }, ...inner];
  });
}
