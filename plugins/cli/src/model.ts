/** From a configuration to a model, with parts by name from whatever plugins the host has. */

import { MODELS, fail, type DecoderModel, type Host, type Json } from '@heddle/core';
import { partsOf } from '@heddle/transformer';

interface ModelSettings {
  readonly architecture: string;
  readonly model: Readonly<Record<string, Json>>;
  /** Tokens of a row in training: the longest text, unless the configuration says otherwise. */
  readonly length?: number;
}

/**
 * @throws E_UNKNOWN for an architecture that no plugin contributes, E_CONFIG for what the architecture refuses, E_MODEL for
 *   one that needs a source: these commands read texts alone
 */
export function createModel(
  host: Host,
  { architecture, model, length }: ModelSettings,
  vocabulary: number,
): DecoderModel {
  const config = { ...(length === undefined ? {} : { length }), ...model, vocabulary };
  const made = host.find(MODELS, architecture).create(config, partsOf(host));
  return made.kind === 'decoder'
    ? made
    : fail(
        'E_MODEL',
        `architecture '${architecture}': expected a model of texts alone, such as 'decoder', received an ${made.kind}, which needs a source for each text.`,
        { architecture },
      );
}
