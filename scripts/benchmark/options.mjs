import { parseArgs } from 'node:util';

export const usage = `scripts/bench [options]

  --quick            the first rows only, in under 4 minutes
  --only a,b         some rows; --list prints their names
  --access-log WHAT  on, off or both (default: on): of every server at once
  --rounds N         rounds (default 5)
  --seconds N        length of one measurement, at least 1 (default 3; 2 with --quick)
  --json             the result as JSON
  --write            the result into docs/benchmarks.md as well; not of some rows only
  --install          installs what is missing (apt-get as root, PyPI into .cache/bench-venv, npm into .cache/bench-node), and ends
  --list             the rows, and ends
`;

/** A mistake in the command line: its message and the usage are printed, and nothing runs. */
export class UsageError extends Error {}

/** Resolves the flags to {rows, accessLogs, rounds, seconds, isJson, isWriting, isInstalling, isListing, isHelp}. */
export function readOptions(args, allRows) {
  const values = parse(args);
  return {
    isHelp: values.help,
    isListing: values.list,
    isInstalling: values.install,
    rows: chooseRows(values, allRows),
    accessLogs: accessLogs(values['access-log']),
    rounds: wholeNumber('--rounds', values.rounds),
    seconds: wholeNumber('--seconds', values.seconds ?? (values.quick ? '2' : '3')),
    isJson: values.json,
    isWriting: values.write,
  };
}

// Private

function parse(args) {
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        'access-log': { type: 'string', default: 'on' },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string' },
        ...{ quick: flag, json: flag, write: flag, install: flag, list: flag, help: flag },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function chooseRows({ only, quick, write }, allRows) {
  if (write && (only !== undefined || quick))
    throw new UsageError('--write takes all rows: a table of some would lose the others');
  if (quick) return allRows.filter(({ isQuick }) => isQuick);
  if (only === undefined) return allRows;
  return only.split(',').map((name) => {
    const row = allRows.find((one) => one.name === name);
    if (row === undefined) throw new UsageError(`--only: there is no row ${name}`);
    return row;
  });
}

function accessLogs(value) {
  const choices = { on: [true], off: [false], both: [true, false] };
  if (!(value in choices)) throw new UsageError('--access-log is on, off or both');
  return choices[value];
}

function wholeNumber(name, text) {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new UsageError(`${name} is a whole number from 1`);
  return Number(text);
}
