import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import { readFileBytes } from '../../contracts/read-file.js';
import { type EnvironmentFile, namesIn, type Variables } from './environment-file.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the service has of the environment that install was typed in. */
export interface BootEnvironment {
  /** Set here, looked at by the project or its libraries, and missing at boot. */
  readonly missing: readonly string[];
  /** DJANGO_SETTINGS_MODULE, which is no secret and goes into the unit; undefined where the project says it itself. */
  readonly settingsModule: string | undefined;
}

/** By whom install was typed, and what the unit or systemd says in its own way (systemd.exec(5), "Environment Variables"). */
const ofSession =
  /^(?:PATH|HOME|USER|LOGNAME|MAIL|SHELL|SHLVL|PWD|OLDPWD|TERM|COLORTERM|LINES|COLUMNS|EDITOR|VISUAL|PAGER|DISPLAY|LANG|LANGUAGE|LC_\w+|TMPDIR|TEMP|TMP|TZ|NO_COLOR|FORCE_COLOR|CI|_|VIRTUAL_ENV|CONDA_\w+|PYENV_\w+|NVM_\w+|XDG_\w+|SSH_\w+|SUDO_\w+|DBUS_\w+|INVOCATION_ID|JOURNAL_STREAM|PYTHON(?!PATH$)\w+|DJANGO_SETTINGS_MODULE|NOTIFY_SOCKET|LISTEN_\w+|WATCHDOG_\w+)$/;

/** Read by C libraries, by Python before the project, or long after it was loaded: nothing tells that they are. */
const ofLibraries =
  /^(?:EASYSERVE_(?!USER$|GROUP$)\w+|PG(?:HOST|HOSTADDR|PORT|USER|PASSWORD|PASSFILE|DATABASE|SERVICE|SERVICEFILE|SSL\w+|OPTIONS)|MYSQL_\w+|AWS_\w+|GOOGLE_APPLICATION_CREDENTIALS|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|PYTHONPATH|LD_LIBRARY_PATH|NODE_(?:ENV|OPTIONS|EXTRA_CA_CERTS)|(?:https?|no|all)_proxy)$/i;

export function findBootEnvironment(
  project: Project,
  env: Environment,
  given: Variables,
  ownSettingsModule: string | null,
): BootEnvironment {
  const use = 'python' in project ? project.environment : undefined;
  const inFiles = new Set((use?.files ?? []).flatMap(readNames));
  const isKept = (name: string) => inFiles.has(name) || name in given;
  const wanted = new Set([
    ...(use?.reads ?? []),
    ...Object.keys(env).filter((name) => ofLibraries.test(name)),
  ]);
  const missing = [...wanted].filter(
    (name) => (env[name] ?? '') !== '' && !ofSession.test(name) && !isKept(name),
  );
  const named = env.DJANGO_SETTINGS_MODULE || undefined;
  const isSaid = ownSettingsModule !== null || isKept('DJANGO_SETTINGS_MODULE');
  return {
    missing: missing.sort(),
    settingsModule: project.kind === 'django' && !isSaid ? named : undefined,
  };
}

export interface VariablesOptions {
  /** Of the service. */
  readonly name: string;
  readonly file: EnvironmentFile | undefined;
  readonly isWithoutEnv: boolean;
}

/** A file that is still to be made will have them. Throws EasyserveError `environment-missing`. */
export function requireVariables(
  missing: readonly string[],
  { name, file, isWithoutEnv }: VariablesOptions,
): void {
  const isToBeMade = file !== undefined && file.variables === undefined;
  if (missing.length === 0 || isToBeMade || isWithoutEnv) return;
  const [are, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const hint =
    file === undefined
      ? `--save-env /etc/${name}.env writes ${them} there, for the service alone; or --without-env`
      : `add ${them} to ${file.path}, or --without-env`;
  throw new EasyserveError(
    'environment-missing',
    ExitCode.usage,
    `${missing.join(', ')} ${are} set here and read by the application, and would be missing at boot.`,
    { hint },
  );
}

// Private

function readNames(file: string): readonly string[] {
  try {
    return namesIn(readFileBytes(file).toString('utf8'));
  } catch {
    return []; // the project could not read it either
  }
}
