// The corpus of lint beside the examples of the docs: what each rule must say, and above all what it must not.
import { columnCases } from './column-cases.ts';
import { lockCases } from './lock-cases.ts';
import { nameCases } from './name-cases.ts';
import { runCases } from './run-cases.ts';

export const corpus = [...lockCases, ...columnCases, ...runCases, ...nameCases];
