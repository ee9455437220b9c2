// Reads the header of an archive: the part before the entries. Called by the TOC reader only.

import { archiveCodecs, archiveVersions, type TocHeader, type TocTime } from './toc-entry.ts';
import { DamagedField } from './toc-failure.ts';
import { type Reading, readAscii, readInt, readPresentName } from './toc-fields.ts';

export const ARCHIVE_MAGIC = 'PGDMP';
export const CUSTOM_FORMAT = 1;
/** A directory's toc.dat says 3, which means tar: pg_dump writes it so, and pg_restore takes it from the folder. */
export const DIRECTORY_FORMAT = 3;

/** The header up to, and without, the number of entries. */
export function* readTocHeader(): Reading<TocHeader> {
  const magic = (yield 5).toString('latin1');
  if (magic !== ARCHIVE_MAGIC) {
    throw new DamagedField(
      `the first bytes are ${JSON.stringify(magic)} but an archive begins with "${ARCHIVE_MAGIC}"`,
    );
  }
  const sizes = yield 6;
  const [major = 0, minor = 0, revision = 0, intSize = 0, offSize = 0, format = 0] = sizes;
  const version = archiveVersions.find((known) => known === `${major}.${minor}`);
  if (version === undefined || revision !== 0) {
    const allowed = archiveVersions.join(', ');
    throw new DamagedField(
      `the archive version is ${major}.${minor}-${revision} but must be one of ${allowed}`,
      'use a pg_dump of PostgreSQL 14 to 18',
    );
  }
  if (intSize !== 4) throw new DamagedField(`the size of a number is ${intSize} bytes but must be 4`);
  if (offSize !== 4 && offSize !== 8)
    throw new DamagedField(`the size of an offset is ${offSize} bytes but must be 4 or 8`);
  if (format !== CUSTOM_FORMAT && format !== DIRECTORY_FORMAT) {
    throw new DamagedField(
      `the format is ${format} but must be ${CUSTOM_FORMAT} (custom) or ${DIRECTORY_FORMAT} (directory)`,
    );
  }
  return {
    version,
    intSize,
    offSize,
    format: format === CUSTOM_FORMAT ? 'custom' : 'directory',
    ...(version === '1.14' ? yield* readLevel() : yield* readCodec()),
    createdAt: yield* readTime(),
    dbname: yield* readPresentName('the name of the database'),
    serverVersion: yield* readAscii('the version of the server'),
    dumpVersion: yield* readAscii('the version of pg_dump'),
  };
}

function* readLevel(): Reading<Pick<TocHeader, 'codec' | 'level'>> {
  const level = yield* readInt('the compression level', -1, 9);
  return { codec: level === 0 ? 'none' : 'gzip', level };
}

function* readCodec(): Reading<Pick<TocHeader, 'codec' | 'level'>> {
  const number = (yield 1).readUInt8(0);
  const codec = archiveCodecs[number];
  if (codec === undefined)
    throw new DamagedField(`the compression is ${number} but must be 0 to ${archiveCodecs.length - 1}`);
  return { codec, level: null };
}

function* readTime(): Reading<TocTime> {
  return {
    // 60 is a leap second.
    second: yield* readInt('the second of the creation time', 0, 60),
    minute: yield* readInt('the minute of the creation time', 0, 59),
    hour: yield* readInt('the hour of the creation time', 0, 23),
    dayOfMonth: yield* readInt('the day of the creation time', 1, 31),
    month: yield* readInt('the month of the creation time', 0, 11),
    yearsSince1900: yield* readInt('the year of the creation time', 70, 8_099),
    daylightSaving: yield* readInt('the daylight saving of the creation time', -1, 1),
  };
}
