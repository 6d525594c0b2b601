import type { ExitFacts } from '../process/app-process.js';

/** Says in one sentence how an application process died. */
export function explainCrash(pid: number, exit: ExitFacts, isOutOfMemory: boolean): string {
  if (isOutOfMemory) {
    return `application ${pid} was ended by the kernel because the machine, or its memory limit, ran out of memory`;
  }
  if (exit.signal === 'SIGKILL') {
    return `application ${pid} was killed (SIGKILL); when nobody did that by hand, it was probably for want of memory`;
  }
  if (exit.signal !== null) return `application ${pid} died of ${exit.signal}`;
  return `application ${pid} exited by itself with code ${exit.code}`;
}
