/**
 * Recipes: what is merged, how, and into what. The same shape in YAML and as a typed value; mergekit's files run
 * unchanged. What is ours alone: `groups`, `dtypes`, `adapters` and `seed`.
 */

import type { Setting } from './setting.js';

/** Parameters by name: of a method, or mergekit's that have no meaning here (`int8_mask`). */
export type Parameters = Readonly<Record<string, Setting>>;

/**
 * `path`, `path@revision`, `path+adapter`, or the parts by name. A path is a folder, a `.safetensors` file, the name of
 * an earlier document, or an id `organisation/model` that was downloaded before.
 */
export type ModelName =
  | string
  | {
      readonly model: string | { readonly path: string; readonly revision?: string };
      readonly lora?: string | { readonly path: string; readonly revision?: string };
      readonly override_architecture?: string;
    };

export interface RecipeModel {
  readonly model: ModelName;
  readonly parameters?: Parameters;
}

/** A member of a group, with a label for the routing table: a language, a direction, anything. */
export interface RecipeMember extends RecipeModel {
  readonly label?: string;
}

export interface RecipeSource extends RecipeModel {
  /** Layers from the first up to, not including, the second. */
  readonly layer_range?: readonly [number, number];
}

export interface RecipeSlice {
  readonly sources: readonly RecipeSource[];
  readonly base_model?: ModelName;
  readonly parameters?: Parameters;
}

/** Experts that become one module, in a folder of the group's name. */
export interface RecipeGroup {
  readonly models: readonly RecipeMember[];
  readonly base_model?: ModelName;
  readonly parameters?: Parameters;
}

/** Numbers in files, by the names that PyTorch gives them. */
export type FloatName = 'float32' | 'float16' | 'bfloat16' | 'float64';

export interface Dtypes {
  /** What inputs are rounded to before anything is computed; as they are stored where it is not said. */
  readonly read?: FloatName;
  /** What is computed in; float32 where it is not said. */
  readonly accumulate?: 'float32' | 'float64';
  /** What is written; `out_dtype`, else `dtype`, else what the base is stored in. */
  readonly write?: FloatName;
}

/** Where the embedding of a token comes from. */
export type TokenSource =
  | ModelName
  | { readonly kind: 'zero' }
  | {
      readonly kind: 'model_token';
      readonly model: ModelName;
      readonly token?: string;
      readonly token_id?: number;
    };

export interface TokenRule {
  readonly source: TokenSource;
  /** Use it for every model, also for those with a row of their own. */
  readonly force?: boolean;
}

export interface RecipeTokenizer {
  /** `union` (every token of every model), `base`, or the name of a model. */
  readonly source?: string;
  readonly tokens?: Readonly<Record<string, TokenRule>>;
  readonly pad_to_multiple_of?: number | null;
}

export interface AdapterRules {
  /**
   * `delta`: merge the products B A, the differences that adapters stand for. `factors`: merge A and B apart, as PEFT does,
   * which is another result.
   */
  readonly mode: 'delta' | 'factors';
  /** Rank of the merged adapter; the exact one where it is not said (`delta`: the sum of ranks at most). */
  readonly rank?: number;
}

export interface Recipe {
  /** For later documents of the same file. */
  readonly name?: string;
  readonly merge_method: string;
  readonly base_model?: ModelName;
  readonly models?: readonly RecipeModel[];
  readonly slices?: readonly RecipeSlice[];
  readonly groups?: Readonly<Record<string, RecipeGroup>>;
  readonly parameters?: Parameters;
  readonly dtype?: FloatName;
  readonly out_dtype?: FloatName;
  readonly dtypes?: Dtypes;
  readonly tokenizer?: RecipeTokenizer;
  readonly tokenizer_source?: string;
  /** `auto`, the name of a template that comes with us, or Jinja. */
  readonly chat_template?: string;
  readonly adapters?: AdapterRules;
  /** Of the random masks; 0 where it is not said. */
  readonly seed?: number;
}
