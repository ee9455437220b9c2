// Thrown where a run ends before its work does: what it has begun goes on in the server, or in the next run.
export class LeftRunning extends Error {
  constructor() {
    super('the work goes on without this run');
    this.name = 'LeftRunning';
  }
}
