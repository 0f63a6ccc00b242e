/** What a tensor's name says: the layer it belongs to, and whether it is a table of tokens. */

/** A tensor of a layer: `model.layers.3.mlp.up_proj.weight` is layer 3 of the stack `model.layers`. */
export interface Place {
  readonly stack: string;
  readonly layer: number;
  /** The name within its layer. */
  readonly rest: string;
}

/** Null for what stands outside the layers. Two numbers in a name (experts in layers): the first counts. */
export function placeOf(name: string): Place | null {
  const found = /^((?:.*?\.)?(?:layers|layer|h|blocks|block))\.(\d{1,6})\.(.+)$/.exec(name);
  return found ? { stack: found[1]!, layer: Number(found[2]), rest: found[3]! } : null;
}

export const nameOf = ({ stack, layer, rest }: Place): string => `${stack}.${layer}.${rest}`;

/** The name with its layer left open, as people count tensors: `model.layers.*.mlp.up_proj.weight`. */
export function patternOf(name: string): string {
  const place = placeOf(name);
  return place === null ? name : `${place.stack}.*.${place.rest}`;
}

export type Role =
  | 'embedding' // a row for each token, going in
  | 'head' // a row for each token, coming out
  | 'norm'
  | 'layer'
  | 'other';

/** What a tensor is to a merge. `other` is what no rule knows: it is merged like the rest, and listed in plans. */
export function roleOf(name: string): Role {
  if (placeOf(name) !== null) return 'layer';
  if (/(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|shared|embed_in)\.weight$/.test(name)) return 'embedding';
  if (/(^|\.)(lm_head|embed_out|output_layer|output)\.weight$/.test(name)) return 'head';
  if (/(^|\.)(norm|ln_f|final_layer_norm|final_layernorm|layer_norm)\.(weight|bias)$/.test(name)) return 'norm';
  return 'other';
}

export const isTokenTable = (name: string): boolean => ['embedding', 'head'].includes(roleOf(name));

/** Layers of each stack: the highest number and one. */
export function stacksOf(names: Iterable<string>): ReadonlyMap<string, number> {
  const stacks = new Map<string, number>();
  for (const name of names) {
    const place = placeOf(name);
    if (place !== null) stacks.set(place.stack, Math.max(stacks.get(place.stack) ?? 0, place.layer + 1));
  }
  return stacks;
}
