/** The environment of a Python that finds modules there, too (Python documentation, PYTHONPATH). */
export function withPythonPath<E extends Readonly<Record<string, string | undefined>>>(
  env: E,
  pythonPath: string | undefined,
): E {
  if (pythonPath === undefined) return env;
  const { PYTHONPATH: own } = env;
  return { ...env, PYTHONPATH: own ? `${pythonPath}:${own}` : pythonPath };
}

/** The same for a Python whose application may listen on these ports in each of its processes (app/python/easyserve_own_ports). */
export function withOwnPorts<E extends Readonly<Record<string, string | undefined>>>(
  env: E,
  ports: readonly number[],
): E {
  return ports.length === 0 ? env : { ...env, EASYSERVE_APP_PORTS: ports.join(',') };
}
