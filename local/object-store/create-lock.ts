// Runs short critical sections one after another. The commit of a key and the opening of its file go through it, so that
// a reader never sees the headers of one version with the bytes of another.

export type Lock = <T>(section: () => Promise<T>) => Promise<T>;

/** A lock that serves its callers in the order of their calls; a section that throws does not block the next one. */
export function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return async (section) => {
    const mine = last.then(section);
    // The caller gets the rejection; the queue must go on.
    last = mine.catch(() => undefined);
    return await mine;
  };
}
