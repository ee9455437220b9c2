// Prints which size of the tests runs.
import { rounds, size } from './test-size.ts';

console.log(`tests in ${size} size: ${rounds} rounds of each fault`);
