import { nullable, textLike } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

/** useradd(8) makes such names; directory services add dots, and the domain behind an @. */
const account = (whose: string) =>
  textLike(/^(?:[a-z_][\w.@-]*\$?|0|[1-9][0-9]{0,9})$/i, `the name or number of a ${whose}`);

export const privilegeSettings = {
  user: defineSetting({
    format: nullable(account('user')),
    default: null,
    doc: 'User that handles the requests and runs the application when root starts easyserve: root only binds the ports. Unset: the owner of the project folder; "root" has to be said. Fixed from start to stop, and not read from Django\'s EASYSERVER.',
    effect: 'restart',
  }),
  group: defineSetting({
    format: nullable(account('group')),
    default: null,
    doc: "Group of that user's processes, when root starts easyserve. Unset: the user's own group. Fixed from start to stop, and not read from Django's EASYSERVER.",
    effect: 'restart',
  }),
};
