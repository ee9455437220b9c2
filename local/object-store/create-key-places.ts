// Decides which keys may lie as plain files under their own name. A key keeps out of the bucket's folder when its name
// is not a safe relative path or when it collides with another one (`a` and `a/b`, `A` and `a`): those lie in the side
// folder. This file must never let a path out of the bucket's folder.

export interface KeyPlaces {
  /** Takes the plain place for a key; false when it has to lie in the side folder. Taking it twice is fine. */
  take(key: string): boolean;
  release(key: string): void;
}

// The limit of one file name on Linux and macOS.
const longestName = 255;

/** The path segments of a key, or undefined when the key cannot be a path inside a folder. */
export function safeSegments(key: string): string[] | undefined {
  const segments = key.split('/');
  const safe = segments.every(
    (segment) =>
      segment !== '' &&
      segment !== '.' &&
      segment !== '..' &&
      !segment.includes('\0') &&
      Buffer.byteLength(segment) <= longestName,
  );
  return safe ? segments : undefined;
}

/** The register of one bucket's folder. */
export function createKeyPlaces(): KeyPlaces {
  const files = new Map<string, string>();
  const folders = new Map<string, number>();

  return {
    take(key) {
      const paths = foldedPaths(key);
      const own = paths?.at(-1);
      if (paths === undefined || own === undefined) return false;
      if (files.get(own) === key) return true;
      const parents = paths.slice(0, -1);
      if (files.has(own) || folders.has(own) || parents.some((parent) => files.has(parent))) return false;
      files.set(own, key);
      for (const parent of parents) folders.set(parent, (folders.get(parent) ?? 0) + 1);
      return true;
    },
    release(key) {
      const paths = foldedPaths(key) ?? [];
      const own = paths.at(-1);
      if (own === undefined || files.get(own) !== key) return;
      files.delete(own);
      for (const parent of paths.slice(0, -1)) {
        const left = (folders.get(parent) ?? 1) - 1;
        if (left === 0) folders.delete(parent);
        else folders.set(parent, left);
      }
    },
  };
}

/** `a`, `a/b`, `a/b/c` for `a/b/c`, in the form in which a file system without case or with decomposed accents sees them. */
function foldedPaths(key: string): string[] | undefined {
  const segments = safeSegments(key);
  if (segments === undefined) return undefined;
  const folded = segments.map((segment) => segment.normalize('NFC').toLowerCase().normalize('NFC'));
  return folded.map((_, index) => folded.slice(0, index + 1).join('/'));
}
