/** From a configuration to a model, with parts by name from whatever plugins the host has. */

import { MODELS, type DecoderModel, type Host, type Json } from '@heddle/core';
import { partsOf } from '@heddle/transformer';

interface ModelSettings {
  readonly architecture: string;
  readonly model: Readonly<Record<string, Json>>;
  /** Tokens of a row in training: the longest text, unless the configuration says otherwise. */
  readonly length?: number;
}

/** @throws E_UNKNOWN for an architecture that no plugin contributes, E_CONFIG for what the architecture refuses */
export function createModel(
  host: Host,
  { architecture, model, length }: ModelSettings,
  vocabulary: number,
): DecoderModel {
  const config = { ...(length === undefined ? {} : { length }), ...model, vocabulary };
  return host.find(MODELS, architecture).create(config, partsOf(host));
}
