/** From a configuration to a model, with parts by name from whatever plugins the host has. */

import { MODELS, fail, type Host, type Json, type Model } from '@heddle/core';
import { partsOf } from '@heddle/transformer';

interface ModelSettings {
  readonly architecture: string;
  readonly model: Readonly<Record<string, Json>>;
  /** Tokens of a row in training: the longest text, unless the configuration says otherwise. */
  readonly length?: number;
}

/** @throws E_UNKNOWN for an architecture that no plugin contributes, E_CONFIG for what the architecture refuses */
export function createModel(host: Host, { architecture, model, length }: ModelSettings, vocabulary: number): Model {
  const config = { ...(length === undefined ? {} : { length }), ...model, vocabulary };
  return host.find(MODELS, architecture).create(config, partsOf(host));
}

type Of<K extends Model['kind']> = Extract<Model, { readonly kind: K }>;

/** @throws E_MODEL for a model of another kind, naming the command for it */
export function expectKind<K extends Model['kind']>(model: Model, kind: K): Of<K> {
  if (model.kind !== kind)
    fail(
      'E_MODEL',
      `model: expected ${words[kind]}, received ${words[model.kind]}. Use heddle ${commandFor[model.kind]}.`,
      { expected: kind, received: model.kind },
    );
  return model as Of<K>;
}

const words = {
  decoder: 'a decoder, which writes texts',
  'encoder-decoder': 'an encoder-decoder, which writes from a source',
  classifier: 'a classifier, which names a class',
};
const commandFor = { decoder: 'generate', 'encoder-decoder': 'translate', classifier: 'classify' };
