// A way to the server that can go silent: from then on nothing is forwarded and nothing is closed, in neither direction,
// and new connections are taken but lead nowhere. TLS passes through it as it is. On loopback, any free port.
import { connect, createServer, type Socket } from 'node:net';

export interface SilentWay {
  readonly port: number;
  /** Stops forwarding. The kernel goes on to acknowledge, so the ends learn nothing from TCP's keep-alive. */
  goSilent(): void;
  /** New connections get through again; those of before stay lost. */
  recover(): void;
  /** Connections that were opened through it so far. */
  opened(): number;
  close(): void;
}

/** Starts one to `host` and `port`; close it in any case. */
export async function startSilentWay({ host, port }: { host: string; port: number }): Promise<SilentWay> {
  const pairs: { near: Socket; far: Socket }[] = [];
  const lost = new Set<Socket>();
  let isSilent = false;
  const open = (near: Socket) => {
    near.on('error', () => {});
    if (isSilent) {
      near.pause();
      lost.add(near);
      return;
    }
    const far = connect({ host, port, allowHalfOpen: true });
    far.on('error', () => near.destroy());
    pairs.push({ near, far });
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.once('close', () => lost.has(one) || other.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, open);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    goSilent: () => {
      isSilent = true;
      for (const { near, far } of pairs) {
        for (const one of [near, far]) {
          lost.add(one);
          one.unpipe();
          one.pause();
        }
      }
    },
    recover: () => {
      isSilent = false;
    },
    opened: () => pairs.length,
    close: () => {
      server.close();
      for (const { near, far } of pairs) for (const one of [near, far]) one.destroy();
      for (const one of lost) one.destroy();
    },
  };
}
