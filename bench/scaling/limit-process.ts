// Runs as a process of its own: a TCP proxy that hands on what the server sends at a limited rate, each connection for
// itself, as the network of one worker would. TLS passes through it unread.
// usage: node limit-process.ts <host> <port> <bytes per second and connection>
// Says its port over the process channel; ends when the owner is gone.
import { connect, createServer, type Socket } from 'node:net';

const [host = '', port = '', rate = ''] = process.argv.slice(2);
const bytesPerMs = Number(rate) / 1_000;

process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group: the owner ends the run first, then this.
process.on('SIGINT', () => {});

const listener = createServer((client) => {
  const server = connect(Number(port), host);
  for (const socket of [client, server]) socket.setNoDelay(true);
  handOn(client, server);
  handOn(server, client, bytesPerMs);
});
listener.listen(0, '127.0.0.1', () => {
  const address = listener.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});

/** Without a rate as fast as the other side takes it. A side that ends or fails ends the other. */
function handOn(from: Socket, to: Socket, rateOfBytes = Number.POSITIVE_INFINITY): void {
  let freeAt = 0;
  from.on('data', (chunk: Buffer) => {
    const isTaken = to.write(chunk);
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + chunk.length / rateOfBytes;
    const waitMs = freeAt - now;
    // Below a millisecond a timer would wait for longer; the next chunk pays for it.
    if (waitMs < 1 && isTaken) return;
    from.pause();
    const resume = () => from.resume();
    setTimeout(() => (to.writableNeedDrain ? to.once('drain', resume) : resume()), waitMs);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}
