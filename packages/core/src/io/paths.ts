/** Names that stay inside their folder, on every system that the folder may be copied to. */

import { fail } from '../errors.js';

/** Windows opens a device under these names, with any extension. */
const devices = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const illegal = /[/\\:\u0000-\u001f\u007f]/;

/** Why a file name is not plain, in words that follow "it"; null when it is. */
export function nameTrouble(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'leads to another folder';
  if (illegal.test(name)) return 'holds a separator, a drive letter or a control character';
  if (/[. ]$/.test(name)) return 'ends with a dot or a space, which Windows drops';
  if (devices.test(name)) return 'is a device on Windows';
  return null;
}

/** True for a name of one file in one folder: no separator, no drive, no way up. */
export const isPlainName = (name: string): boolean => nameTrouble(name) === null;

/**
 * Joins a folder with a relative name written with `/`, each part of which must be plain.
 *
 * @throws E_PATH when the name is absolute, leads up, or means something else on another system
 */
export function safeJoin(folder: string, name: string): string {
  for (const part of name.split('/')) {
    const trouble = nameTrouble(part);
    if (trouble !== null) {
      fail(
        'E_PATH',
        `name '${name}': expected a plain relative name inside ${folder}, received one where '${part}' ${trouble}. Rename the file.`,
        { folder, name, part },
      );
    }
  }
  return folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}
