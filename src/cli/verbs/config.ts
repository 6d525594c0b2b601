import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import type { ConfigEntry } from '../../control/protocol.js';
import type { Output } from '../../log/output.js';
import { paint } from '../../log/paint.js';
import { indentedJson } from '../../log/visible-text.js';
import { describeAddresses } from '../../project/owned-addresses.js';
import type { LoadedSettings } from '../../settings/load.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { ConfigCommand } from '../command.js';
import { findProject, findSources } from '../find-project.js';
import { loadFolderSettings } from '../folder-settings.js';
import { alignTable, printError } from '../text/layout.js';

/**
 * `easyserve config`: the settings of the running instance; without one, or with settings on the command line, those that
 * `easyserve start` would use.
 */
export async function config(command: ConfigCommand, context: CliContext): Promise<number> {
  const { stdout } = context;
  const describe = (entries: readonly ConfigEntry[], source: string): string =>
    command.asJson ? `${indentedJson(entries)}\n` : describeSettings(entries, source, stdout);
  const ofInstance = await readInstance(command, context, (entries) =>
    describe(entries, 'of the running instance'),
  );
  stdout.write(
    ofInstance ?? describe(await readFolder(command, context), 'as `easyserve start` would use them'),
  );
  return ExitCode.ok;
}

function describeSettings(
  entries: readonly ConfigEntry[],
  source: string,
  output: Pick<Output, 'colour'>,
): string {
  const notes = entries.flatMap((entry) => entry.notes ?? []);
  const ending = notes.length > 0 ? `\n${notes.join('\n')}\n` : '';
  return `Settings ${source}:\n\n${describeEntries(entries, output)}${ending}`;
}

/** What somebody has set stands out from the defaults. */
function describeEntries(entries: readonly ConfigEntry[], { colour }: Pick<Output, 'colour'>): string {
  const rows = entries.map(({ key, value, origin }) => [key, describeValue(value), origin]);
  const [heading, ...lines] = alignTable([['SETTING', 'VALUE', 'FROM'], ...rows])
    .trimEnd()
    .split('\n');
  const shown = lines.map((line, index) =>
    entries[index]?.origin === 'default' ? paint(colour, 'dim', line) : line,
  );
  return `${[heading, ...shown].join('\n')}\n`;
}

/** As docs/settings.md writes it. */
function describeValue(value: unknown): string {
  return value === null ? 'unset' : JSON.stringify(value);
}

async function readInstance(
  command: ConfigCommand,
  context: CliContext,
  describe: (entries: readonly ConfigEntry[]) => string,
): Promise<string | undefined> {
  if (command.flags.length > 0 || command.configFile !== undefined) return undefined;
  try {
    const projectDir = await findProject(command.project, context);
    return await askInstance(projectDir, { verb: 'config' }, describe);
  } catch (error) {
    if (error instanceof EasyserveError && error.code === 'not-running') return undefined;
    throw error;
  }
}

async function readFolder(command: ConfigCommand, context: CliContext): Promise<readonly ConfigEntry[]> {
  const sources = await findSources(command, context);
  const { loaded, project, failure } = await loadFolderSettings(sources, { measure: false });
  if (failure !== undefined) {
    printError(describeError(failure), context.stderr);
    context.stderr.write('The settings below are without what Django would add.\n\n');
  }
  return toEntries(loaded, project);
}

function toEntries({ settings, origins }: LoadedSettings, project: Project | undefined): ConfigEntry[] {
  const notes = project === undefined ? [] : describeAddresses(project, settings);
  return (Object.keys(settings) as (keyof typeof settings)[]).map((key) => ({
    key,
    value: settings[key],
    origin: origins[key],
    ...(key === 'serveMedia' && notes.length > 0 ? { notes } : {}),
  }));
}
