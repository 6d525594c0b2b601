/** The machine that a check looks at; tests make one up. */
export interface Machine {
  /** Milliseconds since 1970, by its clock. */
  readonly nowMs: number;
  /** `v22.4.1` */
  readonly nodeVersion: string;
}

export function thisMachine(): Machine {
  return { nowMs: Date.now(), nodeVersion: process.version };
}
