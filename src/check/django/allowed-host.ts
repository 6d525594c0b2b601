/** As Django's validate_host does: a name, a name with a leading dot for all below it too, or `*`. */
export function isAllowedHost(name: string, allowedHosts: readonly string[]): boolean {
  const host = name.toLowerCase();
  return allowedHosts.some((written) => {
    const pattern = written.toLowerCase();
    if (pattern.startsWith('.')) return host === pattern.slice(1) || host.endsWith(pattern);
    return pattern === '*' || pattern === host;
  });
}
