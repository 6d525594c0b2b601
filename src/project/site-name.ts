import { basename, dirname } from 'node:path';

/** Folders that many sites have: the one above tells them apart. */
const usual: ReadonlySet<string> = new Set(
  'app apps backend code current django htdocs html latest live main mysite prod production project public repo server site source src web webapp website www'.split(
    ' ',
  ),
);

/** Where sites are kept, and so no site's name. */
const shelves: ReadonlySet<string> = new Set(['', 'home', 'mnt', 'opt', 'root', 'srv', 'var', 'www']);

/** `shop` for /srv/shop and for /srv/shop/current, but `app` for /home/anna/app: anna is no site. */
export function siteName(projectDir: string): string {
  const folder = dirname(projectDir);
  const [name, above] = [basename(projectDir), basename(folder)];
  const isShelf = shelves.has(above) || basename(dirname(folder)) === 'home';
  return usual.has(name.toLowerCase()) && !isShelf ? above : name;
}
