/**
 * For the environment of easyserve: as root, that it may stay root, as it does only where it is told so. The folders of the
 * tests are root's own then. What happens without being told is the business of test/root/.
 */
export const keepUser: Readonly<Record<string, string>> =
  process.getuid?.() === 0 ? { EASYSERVE_USER: 'root' } : {};
