/** From the command to the first 200, with a request every 5 ms. */
export const startTime = {
  unit: 'ms',
  start: 'itself',
  needs: [],
  measure: async (contender, _bench, _prepared, start) => {
    const entrant = await start(contender);
    await entrant.stop();
    return { value: entrant.startedWithinMs };
  },
};
