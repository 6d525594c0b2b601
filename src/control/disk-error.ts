import { EasyserveError, ExitCode } from '../contracts/errors.js';

/** Does `work`, which makes files in `folder`. What a full or read-only file system says becomes an EasyserveError with a way out. */
export async function withDiskErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toDiskError(folder, error) ?? error;
  }
}

// Private

function toDiskError(folder: string, error: unknown): EasyserveError | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
      return diskFull(`The disk of ${folder} is full, and easyserve keeps its pid file and sockets there.`, {
        hint: `make room on it: df -h ${folder}; df -i ${folder}`,
        cause: error,
      });
    case 'EDQUOT':
      return diskFull(`The quota of the disk of ${folder} is used up, and easyserve keeps its files there.`, {
        hint: 'quota -s',
        cause: error,
      });
    case 'EROFS':
      return new EasyserveError(
        'disk-read-only',
        ExitCode.unexpected,
        `Neither the project nor ${folder} can be written, and easyserve needs one of them for its sockets.`,
        { hint: 'mount -t tmpfs tmpfs /tmp, or in a container: docker run --tmpfs /tmp', cause: error },
      );
    default:
      return undefined;
  }
}

function diskFull(message: string, more: { hint: string; cause: unknown }): EasyserveError {
  return new EasyserveError('disk-full', ExitCode.unexpected, message, more);
}
