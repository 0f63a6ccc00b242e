/**
 * The authors' checkpoints (a fork of fairseq): their names and layouts, and ours.
 *
 * PyTorch keeps a linear map as [out, in]; ours is [in, out].
 */

/** Where a tensor of ours lies in the authors' file. */
export interface Origin {
  readonly name: string;
  /** Stands there transposed. */
  readonly transposed: boolean;
}

const linears: Readonly<Record<string, string>> = {
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  gate: 'u_proj',
  output: 'out_proj',
  'mix.up': 'hdp_net.0',
  'mix.down': 'hdp_net.2',
  'feed.up': 'ff1',
  'feed.down': 'ff2',
  'interact.up': 'head_ff1',
  'interact.down': 'head_ff2',
  inner: 'u_proj1',
};
const norms: Readonly<Record<string, string>> = { queryNorm: 'q_ln', keyNorm: 'k_ln', feedNorm: 'ffn_ln' };

const origin = (name: string, transposed = false): Origin => ({ name, transposed });

/**
 * A block's tensor: `query.weight` is `q_proj.weight`, transposed.
 *
 * @returns null for a name that the authors' modules have nothing for
 */
export function blockOrigin(ours: string): Origin | null {
  const [, part = '', kind = ''] = /^(.+)\.(weight|bias)$/.exec(ours) ?? [];
  const theirs = linears[part];
  if (theirs !== undefined) return origin(`${theirs}.${kind}`, kind === 'weight');
  const norm = norms[part];
  return norm === undefined ? null : origin(`${norm}.${kind}`);
}

/** A tensor of a global map. */
export function mapOrigin(ours: string): Origin | null {
  if (ours === 'distances') return origin('self_attn.relative_position_keys');
  const [, part, kind = ''] = /^(norm|query|key)\.(weight|bias)$/.exec(ours) ?? [];
  if (part === undefined) return null;
  if (part === 'norm') return origin(`self_attn_layer_norm.${kind}`);
  return origin(`self_attn.${part === 'query' ? 'q' : 'k'}_proj.${kind}`, kind === 'weight');
}

const within = (prefix: string, found: Origin | null): Origin | null =>
  found && { ...found, name: `${prefix}.${found.name}` };

/** A tensor of an encoder layer, or of the self half of a decoder layer: `block.query.weight`, `norm.bias`. */
export function sublayerOrigin(ours: string, theirs: 'self_attn' | 'encoder_attn' = 'self_attn'): Origin | null {
  const [, part = '', rest = ''] = /^(block|norm)\.(.+)$/.exec(ours) ?? [];
  if (part === 'norm') return origin(`${theirs}_layer_norm.${rest}`);
  return part === 'block' ? within(theirs, blockOrigin(rest)) : null;
}

/** A tensor of a decoder layer: `self.block.query.weight`, `cross.norm.bias`. */
export function decoderLayerOrigin(ours: string): Origin | null {
  const [, part = '', rest = ''] = /^(self|cross)\.(.+)$/.exec(ours) ?? [];
  return part === '' ? null : sublayerOrigin(rest, part === 'self' ? 'self_attn' : 'encoder_attn');
}

/** The authors call the two maps differently. */
const mapNames: Readonly<Record<string, string>> = {
  encoder: 'encoder.globa_structure_learning',
  decoder: 'decoder.global_learning',
};

/** A tensor of a whole model. */
export function modelOrigin(ours: string): Origin | null {
  if (ours === 'embedding') return origin('encoder.embed_tokens.weight');
  const [, stack = '', part = '', rest = ''] = /^(encoder|decoder)\.(map|norm|layers\.\d+)\.(.+)$/.exec(ours) ?? [];
  if (part === '') return null;
  if (part === 'map') return within(mapNames[stack]!, mapOrigin(rest));
  if (part === 'norm') return origin(`${stack}.layer_norm.${rest}`);
  return within(`${stack}.${part}`, stack === 'encoder' ? sublayerOrigin(rest) : decoderLayerOrigin(rest));
}
