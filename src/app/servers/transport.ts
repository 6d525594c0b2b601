import type { Settings } from '../../settings/settings.js';

/**
 * Whether Python processes are reached through a port of this machine: Python has no Unix sockets on Windows
 * (https://github.com/python/cpython/issues/77589). Used by the servers that run in Python.
 */
export function isOverTcp({ transport }: Pick<Settings, 'transport'>, platform: NodeJS.Platform): boolean {
  return transport === 'tcp' || (transport === 'auto' && platform === 'win32');
}
