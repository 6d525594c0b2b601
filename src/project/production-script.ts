import type { NodePackage } from './node-package.js';
import { splitWords } from './split-words.js';
import { type NodeCommand, readNodeCommand } from './start-script.js';

/** What the scripts in package.json say about how the project is started. */
export interface ProductionScript {
  /** `start:prod` */
  readonly name: string;
  /** As it stands there. */
  readonly text: string;
  /** It runs a file with Node.js, and nothing else. */
  readonly command: NodeCommand | undefined;
  /** It rebuilds what it serves at each change, or shows a build on a port of its own: made for a developer, not for visitors. */
  readonly isForDevelopment: boolean;
}

/** The more exact name comes first: with NestJS `start` compiles, and `start:prod` runs the result. */
const names = ['start:prod', 'start:production', 'start'];
const developmentServers =
  /^(?:npx )?(?:react-scripts start|vite(?! build)\b|ng serve|ng run|vue-cli-service serve|webpack(?:-dev-server| serve)|parcel\b(?! build)|next dev|nuxt(?:i)? (?:dev|preview)|nitro(?:pack)? (?:dev|preview)|astro (?:dev|preview)|astro$|nest start|gatsby (?:develop|serve)|docusaurus (?:start|serve)|eleventy .*--serve)/;
/** `npm run serve` in a script is another script. */
const references = [/^npm run(?:-script)? (\S+)$/, /^(?:pnpm|yarn|bun)(?: run)? (\S+)$/];
const DEEPEST_REFERENCE = 5;

/** The first script that starts the project for visitors, else one for developers; undefined where there is none. */
export function readProductionScript({ scripts }: NodePackage): ProductionScript | undefined {
  const found = names.flatMap((name) => {
    const text = scripts[name] && follow(scripts, scripts[name]);
    return text ? [readScript(name, text)] : [];
  });
  return found.find(({ isForDevelopment }) => !isForDevelopment) ?? found[0];
}

// Private

function follow(scripts: NodePackage['scripts'], script: string): string {
  let text = script.trim();
  for (let depth = 0; depth < DEEPEST_REFERENCE; depth += 1) {
    const name = references.map((reference) => reference.exec(text)?.[1]).find((one) => one !== undefined);
    const next = name === undefined ? undefined : scripts[name];
    if (next === undefined) break;
    text = next.trim();
  }
  return text;
}

function readScript(name: string, text: string): ProductionScript {
  const program = (splitWords(text) ?? []).join(' ').replace(/^(?:cross-env )?(?:[A-Za-z_]\w*=\S* )*/, '');
  const isForDevelopment = developmentServers.test(program);
  return { name, text, command: readNodeCommand(text), isForDevelopment };
}
