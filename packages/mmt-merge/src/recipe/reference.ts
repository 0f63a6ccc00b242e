/** Names of models in recipes. */

import type { ModelName } from './recipe.js';

export interface Reference {
  readonly path: string;
  readonly revision: string | null;
  readonly lora: { readonly path: string; readonly revision: string | null } | null;
}

/** `path[@revision][+adapter[@revision]]`, or the parts by name. */
export function referenceOf(name: ModelName): Reference {
  if (typeof name === 'string') {
    const plus = name.indexOf('+');
    const model = partOf(plus === -1 ? name : name.slice(0, plus));
    return { ...model, lora: plus === -1 ? null : partOf(name.slice(plus + 1)) };
  }
  const model = typeof name.model === 'string' ? referenceOf(name.model) : { ...named(name.model), lora: null };
  const { lora } = name;
  return { ...model, lora: lora === undefined ? model.lora : typeof lora === 'string' ? partOf(lora) : named(lora) };
}

/** One spelling for each reference. */
export const titleOfReference = ({ path, revision, lora }: Reference): string =>
  `${path}${revision === null ? '' : `@${revision}`}${lora === null ? '' : `+${lora.path}${lora.revision === null ? '' : `@${lora.revision}`}`}`;

export const titleOf = (name: ModelName): string => titleOfReference(referenceOf(name));

/** An `@` begins a revision unless it stands first in a part of the path, as in `node_modules/@scope/name`. */
function partOf(text: string): { path: string; revision: string | null } {
  const at = text.lastIndexOf('@');
  return at > 0 && text[at - 1] !== '/' && !text.slice(at).includes('/')
    ? { path: text.slice(0, at), revision: text.slice(at + 1) }
    : { path: text, revision: null };
}

const named = ({ path, revision = null }: { readonly path: string; readonly revision?: string | null }) => ({
  path,
  revision,
});
