/**
 * Does something for each item, at most `lanes` at a time. After a failure nothing more is begun; rejects with the first one
 * when what was under way has ended. Used by Generation to start processes.
 */
export async function runInLanes<T>(
  items: readonly T[],
  lanes: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const runLane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await act(item);
      } catch (error) {
        failures.push(error);
        waiting.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(items.length, lanes) }, runLane));
  if (failures.length > 0) throw failures[0];
}

/** At a reload half of `startConcurrency`: the release that serves needs the processors too. */
export function countLanes(startConcurrency: number, isReload: boolean): number {
  return isReload ? Math.ceil(startConcurrency / 2) : startConcurrency;
}
