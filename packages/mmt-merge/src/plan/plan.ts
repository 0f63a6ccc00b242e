/** What a merge will do, tensor by tensor, from headers alone. Pure: no file is opened here. */

import { fail, streamOf, type MergeMethod, type Shape } from '@heddle/core';
import { byteSize, elementCount, type StorageDtype } from '@heddle/core/files';
import { columnsOf, withDefaults } from '../apply/tensors.js';
import { isTokenTable, nameOf, placeOf, roleOf, stacksOf, type Place } from '../checkpoint/names.js';
import { isFloat, type ModelView, type ViewTensor } from '../checkpoint/view.js';
import { compareVocabularies, differenceText, type Vocabulary } from '../checkpoint/vocabulary.js';
import { nearest, type Locate, type Path } from '../recipe/check.js';
import type { FloatName, ModelName, Parameters, Recipe } from '../recipe/recipe.js';
import { titleOf } from '../recipe/reference.js';
import { evaluateSetting, type Scalar } from '../recipe/setting.js';
import { bytesOfSource, dtypeOfSource, type RowsSource, type Source } from './source.js';
import { planTokens, tokenRules, type TokenModel, type TokenPlan } from './tokens.js';

export interface PlanModel {
  readonly title: string;
  readonly view: ModelView;
  readonly vocabulary: Vocabulary | null;
  /** Rows that its configuration gives to tokens. */
  readonly vocabularySize: number | null;
}

export interface PlanInput {
  readonly recipe: Recipe;
  readonly at: Locate;
  /** By title. */
  readonly models: ReadonlyMap<string, PlanModel>;
  readonly methods: readonly MergeMethod[];
  /** The group that this is: its parameters stand between those of a model and those of the recipe. */
  readonly group?: { readonly path: Path; readonly parameters: Parameters };
}

export interface InputPlan {
  /** Position in `sources` of the plan. */
  readonly model: number;
  readonly source: Source;
}

export interface TensorPlan {
  readonly name: string;
  readonly shape: Shape;
  /** Written. */
  readonly dtype: StorageDtype;
  /** The first of `models` as it is: nothing to be computed. */
  readonly copy: boolean;
  readonly method: string;
  readonly options: Readonly<Record<string, number>>;
  readonly each: readonly Readonly<Record<string, number>>[];
  readonly models: readonly InputPlan[];
  readonly base: InputPlan | null;
  /** Of the random numbers; each model adds its position. */
  readonly stream: number;
}

export interface PlanNotice {
  readonly kind: 'shape' | 'missing' | 'integer' | 'unknown' | 'skipped' | 'parameter' | 'tokens' | 'tied' | 'engine';
  readonly subject: string;
  readonly message: string;
}

export interface MergePlan {
  readonly method: string;
  /** Titles. */
  readonly sources: readonly string[];
  /** Whose configuration and other files are taken over. */
  readonly donor: string;
  readonly base: string | null;
  readonly read: StorageDtype | null;
  readonly accumulate: 'float32' | 'float64';
  readonly seed: number;
  readonly tensors: readonly TensorPlan[];
  readonly notices: readonly PlanNotice[];
  /** Layers of the stack, where slices make another number of them. */
  readonly layers: number | null;
  /** Rows of the token tables, where they changed. */
  readonly vocabularyRows: number | null;
  readonly tokens: TokenPlan | null;
  readonly bytes: { readonly read: number; readonly written: number };
}

export const storageOf: Readonly<Record<FloatName, StorageDtype>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
};

/** Said in recipes of mergekit for reasons of its own memory. */
const ignored = ['int8_mask'];

/** A source of a slice with its parameters, and where they stand. */
interface Member {
  readonly title: string;
  readonly parameters: Parameters;
  readonly path: Path;
  readonly range: readonly [number, number] | null;
}

interface Slice {
  readonly members: readonly Member[];
  readonly base: string | null;
  readonly parameters: Parameters;
  readonly path: Path;
}

/**
 * @throws E_RECIPE, E_MERGE, E_TOKENIZER, E_MERGE_SHAPE
 */
export function planMerge({ recipe, at, models, methods, group }: PlanInput): MergePlan {
  const method = methods.find(({ name }) => name === recipe.merge_method);
  if (method === undefined) {
    const names = methods.map(({ name }) => name);
    return fail('E_RECIPE', `${at(['merge_method'])}: merge_method: expected one of ${names.join(', ')}, received '${recipe.merge_method}'. ${nearest(recipe.merge_method, names)}`, { method: recipe.merge_method }); // prettier-ignore
  }
  const notices: PlanNotice[] = [];
  const note = (kind: PlanNotice['kind'], subject: string, message: string): void => {
    if (!notices.some(one => one.kind === kind && one.subject === subject && one.message === message))
      notices.push({ kind, subject, message });
  };
  checkParameters(recipe, method, methods, at, note, group);

  const slices = slicesOf(recipe, method, at, group);
  const base = recipe.base_model ? titleOf(recipe.base_model) : null;
  if (method.laws.needsBase && slices.some(slice => slice.base === null))
    fail('E_RECIPE', `${at([])}: expected a base_model, which ${method.name} needs, received none. Add base_model.`, { method: method.name }); // prettier-ignore
  const donor = base ?? slices[0]!.members[0]!.title;
  const sources = [...new Set([donor, ...slices.flatMap(slice => [...slice.members.map(({ title }) => title), ...(slice.base ? [slice.base] : [])])])]; // prettier-ignore
  const modelOf = (title: string): PlanModel => models.get(title) ?? fail('E_MODEL', `model '${title}': expected to be opened, received none. Report this.`, { title }); // prettier-ignore

  const tokens = tokensOf(recipe, at, sources.map(modelOf), note);
  const targets = targetsOf(recipe, slices, modelOf, donor, at, note);
  const build = { recipe, method, at, modelOf, sources, tokens, note };
  const tensors = targets.names.map(target => planTensor(target, build)).filter(tensor => tensor !== null);
  if (tensors.length === 0)
    fail(
      'E_MERGE',
      `${at([])}: expected models with tensors, received none in common. Check what the recipe names.`,
      {},
    );
  const table = tensors.find(({ name }) => roleOf(name) === 'embedding');
  const donorTable = table && modelOf(donor).view.tensors.get(table.name);
  return {
    method: method.name,
    sources,
    donor,
    base,
    read: recipe.dtypes?.read ? storageOf[recipe.dtypes.read] : null,
    accumulate: recipe.dtypes?.accumulate ?? 'float32',
    seed: recipe.seed ?? 0,
    tensors,
    notices,
    layers: targets.layers,
    vocabularyRows: table && (tokens !== null || table.shape[0] !== donorTable?.shape[0]) ? table.shape[0]! : null,
    tokens,
    bytes: {
      read: tensors.reduce((n, { models: inputs, base: own }) => n + [...inputs, ...(own ? [own] : [])].reduce((m, { source }) => m + bytesOfSource(source), 0), 0), // prettier-ignore
      written: tensors.reduce((n, { shape, dtype }) => n + elementCount(shape) * byteSize[dtype], 0),
    },
  };
}

type Note = (kind: PlanNotice['kind'], subject: string, message: string) => void;

/** Names of parameters that nobody knows are mistakes; those of other methods are only said. */
function checkParameters(
  recipe: Recipe,
  method: MergeMethod,
  methods: readonly MergeMethod[],
  at: Locate,
  note: Note,
  group: PlanInput['group'],
): void {
  const own = Object.keys(method.parameters ?? {});
  const others = new Set([...ignored, ...methods.flatMap(({ parameters = {} }) => Object.keys(parameters))]);
  const look = (parameters: Parameters | undefined, path: Path): void => {
    for (const name of Object.keys(parameters ?? {})) {
      if (own.includes(name) || ignored.includes(name)) continue;
      if (!others.has(name))
        fail('E_RECIPE', `${at([...path, name], true)}: expected a parameter of ${method.name} (${own.join(', ') || 'it has none'}), received '${name}'. ${nearest(name, own)}`, { path: [...path, name] }); // prettier-ignore
      note('parameter', name, `${method.name} has no ${name}; it is not used`);
    }
  };
  look(recipe.parameters, ['parameters']);
  look(group?.parameters, [...(group?.path ?? []), 'parameters']);
  for (const [i, one] of (recipe.models ?? []).entries())
    look(one.parameters, [...(group?.path ?? []), 'models', i, 'parameters']);
  for (const [i, slice] of (recipe.slices ?? []).entries()) {
    look(slice.parameters, ['slices', i, 'parameters']);
    for (const [j, one] of slice.sources.entries()) look(one.parameters, ['slices', i, 'sources', j, 'parameters']);
  }
}

/** `models` is one slice of all layers. A base that is not listed takes part where the method looks at one. */
function slicesOf(recipe: Recipe, method: MergeMethod, at: Locate, group: PlanInput['group']): readonly Slice[] {
  const above = group?.path ?? [];
  const { laws } = method;
  const looksAtBase = laws.needsBase || laws.takesBase !== undefined;
  const asModel = !laws.needsBase && laws.takesBase === 'model';
  const slice = (members: readonly Member[], own: ModelName | undefined, parameters: Parameters, path: Path): Slice => {
    const named = own ?? recipe.base_model;
    const title = named ? titleOf(named) : null;
    const rest = looksAtBase && !asModel ? members.filter(member => member.title !== title) : members;
    const listed = members.some(member => member.title === title);
    const all = asModel && title !== null && !listed ? [...members, { title, parameters: {}, path, range: members[0]?.range ?? null }] : rest; // prettier-ignore
    const { least = 1, most = Infinity } = laws.models ?? {};
    if (all.length < least || all.length > most)
      fail('E_RECIPE', `${at(path)}: expected ${most === Infinity ? `at least ${least}` : least === most ? `${least}` : `${least} to ${most}`} model${most === 1 ? '' : 's'} beside the base for ${method.name}, received ${all.length}. ${all.length < least ? 'Add models' : 'Take some out'}, or choose another method.`, { path, models: all.length }); // prettier-ignore
    return { members: all, base: looksAtBase && !asModel ? title : null, parameters, path };
  };
  if (recipe.slices !== undefined) {
    return recipe.slices.map((one, i) =>
      slice(
        one.sources.map(({ model, parameters = {}, layer_range: range = null }, j) => ({ title: titleOf(model), parameters, range, path: ['slices', i, 'sources', j] })), // prettier-ignore
        one.base_model,
        one.parameters ?? {},
        ['slices', i],
      ),
    );
  }
  const listed = (recipe.models ?? []).map(({ model, parameters = {} }, i) => ({ title: titleOf(model), parameters, range: null, path: [...above, 'models', i] as Path })); // prettier-ignore
  const seen = new Set<string>();
  for (const { title, path } of listed) {
    if (seen.has(title))
      fail('E_RECIPE', `${at(path)}: expected each model once, received ${title} again. Add its weights up.`, { path });
    seen.add(title);
  }
  return [slice(listed, undefined, group?.parameters ?? {}, group === undefined ? ['models'] : group.path)];
}

function tokensOf(recipe: Recipe, at: Locate, models: readonly PlanModel[], note: Note): TokenPlan | null {
  const rules = tokenRules(recipe);
  const known = models.filter(({ vocabulary }) => vocabulary !== null);
  if (rules === null) {
    const [first] = known;
    for (const other of known.slice(1)) {
      const difference = compareVocabularies(first!.vocabulary!, other.vocabulary!);
      if (difference !== null)
        fail('E_TOKENIZER', `${at([])}: expected models of one vocabulary, received ${differenceText(first!.title, other.title, difference)}. Say in the recipe what is to become of these tokens: tokenizer_source: union (keep all), base, or the name of a model.`, { first: first!.title, second: other.title }); // prettier-ignore
    }
    if (known.length < models.length && known.length > 0)
      note('tokens', 'tokenizer', `no tokenizer.json in ${models.filter(one => one.vocabulary === null).map(({ title }) => title).join(', ')}: taken to have the tokens of ${first!.title}`); // prettier-ignore
    return null;
  }
  const [lacking] = models.filter(({ vocabulary }) => vocabulary === null);
  if (lacking !== undefined)
    fail('E_TOKENIZER', `${at(['tokenizer'])}: expected a tokenizer.json in every model, received none in ${lacking.title}. Save its tokenizer there, or take the rule for tokenizers out of the recipe.`, { title: lacking.title }); // prettier-ignore
  const plan = planTokens(
    rules,
    models.map(({ title, vocabulary, view, vocabularySize }): TokenModel => {
      const table = [...view.tensors.values()].find(({ name }) => roleOf(name) === 'embedding');
      const rows = table?.shape[0] ?? Infinity;
      return { title, vocabulary: vocabulary!, size: Math.min(vocabularySize ?? rows, rows) };
    }),
    at,
  );
  const say = (what: string, list: readonly string[]): void => {
    if (list.length > 0) note('tokens', what, `${list.length}: ${list.slice(0, 5).map(token => JSON.stringify(token)).join(', ')}${list.length > 5 ? ', …' : ''}`); // prettier-ignore
  };
  say('rows added to the base', plan.added);
  say('tokens dropped', plan.dropped);
  say('rows averaged for models without them', plan.averaged);
  say('rows of zeros', plan.zeros);
  return plan;
}

/** A tensor to be made: its name, and what it is called in each member. */
interface Target {
  readonly name: string;
  readonly slice: Slice;
  /** Depth from 0 to 1. */
  readonly t: number;
  /** The name in a member; the base has that of a member of the same range. */
  nameIn(member: Member): string;
}

function targetsOf(
  recipe: Recipe,
  slices: readonly Slice[],
  modelOf: (title: string) => PlanModel,
  donor: string,
  at: Locate,
  note: Note,
): { readonly names: readonly Target[]; readonly layers: number | null } {
  const namesOf = (titles: readonly string[]): readonly string[] => [
    ...new Set(titles.flatMap(title => [...modelOf(title).view.tensors.keys()])),
  ];
  const titles = (slice: Slice): readonly string[] => [
    ...(slice.base ? [slice.base] : []),
    ...slice.members.map(({ title }) => title),
  ];
  const sayUnknown = (name: string): void => {
    if (roleOf(name) === 'other')
      note('unknown', name, 'stands in no layer and is no known part: merged like the first layer (depth 0)');
  };
  if (recipe.slices === undefined) {
    const [slice] = slices as readonly [Slice];
    const names = namesOf([donor, ...titles(slice)]);
    const stacks = stacksOf(names);
    return {
      layers: null,
      names: names.map((name): Target => {
        sayUnknown(name);
        const place = placeOf(name);
        const count = place === null ? 0 : stacks.get(place.stack)!;
        return { name, slice, t: place === null ? 0 : count === 1 ? 1 : place.layer / (count - 1), nameIn: () => name };
      }),
    };
  }
  const stackOf = (title: string, path: Path): readonly [string, number] => {
    const stacks = [...stacksOf(modelOf(title).view.tensors.keys())];
    return stacks.length === 1 ? stacks[0]! : fail('E_RECIPE', `${at(path)}: expected models with one stack of layers for slices, received ${title} with ${stacks.length === 0 ? 'none' : stacks.map(([stack, n]) => `${stack} (${n})`).join(', ')}. Write models instead of slices.`, { title }); // prettier-ignore
  };
  const targets: Target[] = [];
  const [first, last] = [slices[0]!, slices.at(-1)!];
  const outside = (slice: Slice, wanted: (name: string) => boolean): void => {
    for (const name of namesOf(titles(slice))) {
      if (placeOf(name) !== null || !wanted(name)) continue;
      sayUnknown(name);
      targets.push({ name, slice, t: 0, nameIn: () => name });
    }
  };
  outside(first, name => roleOf(name) === 'embedding');
  let out = 0;
  for (const slice of slices) {
    const [leader] = slice.members;
    const [stack, count] = stackOf(leader!.title, slice.path);
    const [from, to] = leader!.range ?? [0, count];
    for (const { title, range, path } of slice.members) {
      const [, own] = stackOf(title, path);
      if ((range?.[1] ?? count) > own)
        fail('E_RECIPE', `${at([...path, 'layer_range'])}: layer_range: expected layers up to ${own}, which ${title} has, received ${range?.[1] ?? count}. Correct the range.`, { path }); // prettier-ignore
    }
    const length = to - from;
    for (let i = 0; i < length; i++, out++) {
      const inLayer = (title: string, layer: number): readonly Place[] => {
        const [own] = stackOf(title, slice.path);
        return [...modelOf(title).view.tensors.keys()].map(placeOf).filter(place => place !== null && place.stack === own && place.layer === layer) as Place[]; // prettier-ignore
      };
      const rests = new Set(
        slice.members.flatMap(({ title, range }) => inLayer(title, (range?.[0] ?? 0) + i).map(({ rest }) => rest)),
      );
      for (const rest of rests) {
        targets.push({
          name: nameOf({ stack, layer: out, rest }),
          slice,
          t: length === 1 ? 1 : i / (length - 1),
          nameIn: ({ title, range }) =>
            nameOf({ stack: stackOf(title, slice.path)[0], layer: (range?.[0] ?? 0) + i, rest }),
        });
      }
    }
  }
  outside(last, name => roleOf(name) !== 'embedding');
  return { names: targets, layers: out };
}

interface Build {
  readonly recipe: Recipe;
  readonly method: MergeMethod;
  readonly at: Locate;
  readonly modelOf: (title: string) => PlanModel;
  readonly sources: readonly string[];
  readonly tokens: TokenPlan | null;
  readonly note: Note;
}

interface Found {
  readonly member: Member;
  readonly name: string;
  readonly tensor: ViewTensor;
}

function planTensor({ name, slice, t, nameIn }: Target, build: Build): TensorPlan | null {
  const { recipe, method, at, modelOf, sources, note } = build;
  const { laws } = method;
  const indexOf = (title: string): number => sources.indexOf(title);
  const lookUp = (member: Member): Found | null => {
    const own = nameIn(member);
    const tensor = modelOf(member.title).view.tensors.get(own) ?? tiedTo(own, modelOf(member.title), build, slice);
    return tensor === undefined ? null : { member, name: own, tensor };
  };
  const baseMember: Member | null =
    slice.base === null ? null : { title: slice.base, parameters: {}, path: slice.path, range: slice.members.find(({ title }) => title === slice.base)?.range ?? slice.members[0]?.range ?? null }; // prettier-ignore
  const base = baseMember && lookUp(baseMember);
  const found = slice.members.map(lookUp);
  const lacking = slice.members.filter((_, i) => found[i] === null);
  let inputs = found.filter(one => one !== null);
  const first = base ?? inputs[0];
  if (first === undefined || first === null) return null; // a tied head that no input has, say
  if (lacking.length > 0 && inputs.length > 0)
    note('missing', name, `not in ${lacking.map(({ title }) => title).join(', ')}: merged from the others`);

  const dtype = (source: Source): StorageDtype => writtenAs(recipe, dtypeOfSource(source));
  const copied = (one: Found, why: [PlanNotice['kind'], string] | null): TensorPlan => {
    if (why !== null) note(why[0], name, why[1]);
    const source = aligned(one, one.tensor.shape, build, name);
    return {
      name,
      shape: source.shape,
      dtype: isFloat(one.tensor.dtype) ? dtype(source) : one.tensor.dtype,
      copy: true,
      method: 'passthrough',
      options: {},
      each: [{ scale: 1 }],
      models: [{ model: indexOf(one.member.title), source }],
      base: null,
      stream: 0,
    };
  };
  if (![first, ...inputs].every(({ tensor }) => isFloat(tensor.dtype)))
    return copied(first, ['integer', `holds ${first.tensor.dtype}, no weights: copied from ${first.member.title}`]);
  if (baseMember !== null && base === null && laws.needsBase)
    return copied(first, ['missing', `not in the base ${baseMember.title}: copied from ${first.member.title}`]);

  // Shapes. Tables of tokens may differ in rows; anything else is another model.
  const shape = commonShape(name, first, inputs, build);
  const fits = inputs.filter(({ tensor }) => shapeFits(tensor.shape, shape, name, build));
  if (fits.length < inputs.length) {
    const others = inputs.filter(one => !fits.includes(one));
    const words = others.map(({ member, tensor }) => `${member.title} [${tensor.shape.join(', ')}]`).join(', ');
    if (!(laws.needsBase && laws.skipsZeroWeight))
      fail('E_MERGE_SHAPE', `tensor '${name}': expected [${shape.join(', ')}] as in ${first.member.title}, received ${words}. Merge models of one architecture and size.`, { name }); // prettier-ignore
    note('shape', name, `[${shape.join(', ')}] in ${first.member.title}, but ${words}: left out for this tensor`);
    inputs = fits;
  }

  // Parameters: of the model, of the slice, of the merge.
  const values = (member: Member, own: string): Readonly<Record<string, number>> =>
    resolved(method, 'model', [[member.parameters, own, member.path], [slice.parameters, own, slice.path], [recipe.parameters ?? {}, name, []]], t, at); // prettier-ignore
  const options = withDefaults(
    method,
    'merge',
    resolved(method, 'merge', [[slice.parameters, name, slice.path], [recipe.parameters ?? {}, name, []]], t, at), // prettier-ignore
    `${at(['merge_method'])}: ${method.name}, tensor '${name}'`,
  );
  let each = inputs.map(({ member, name: own }) =>
    withDefaults(method, 'model', values(member, own), `${at(member.path)}: ${member.title}, tensor '${name}'`),
  );
  if (laws.skipsZeroWeight) {
    const heard = each.map(one => one['weight'] !== 0);
    if (heard.includes(false))
      note('skipped', 'weight 0', `tensors for which a model has weight 0 are not read from it`);
    if (!heard.includes(true) && base === null)
      fail(
        'E_MERGE',
        `tensor '${name}': expected a model with a weight, received only weights of 0. Correct the weights.`,
        { name },
      );
    inputs = inputs.filter((_, i) => heard[i]);
    each = each.filter((_, i) => heard[i]);
  }
  if (inputs.length === 0) return copied(base!, null);
  if (inputs.length < (laws.models?.least ?? 1)) return copied(base ?? inputs[0]!, ['missing', `too few models for ${method.name}: copied from ${(base ?? inputs[0]!).member.title}`]); // prettier-ignore
  const alone = method.name === 'passthrough' && (each[0]!['scale'] ?? 1) === 1;
  const normal = method.name === 'linear' && inputs.length === 1 && options['normalize'] === 1;
  if (alone || normal) return copied(inputs[0]!, null);
  const plan = (one: Found): InputPlan => ({
    model: indexOf(one.member.title),
    source: aligned(one, shape, build, name),
  });
  const out = plan(first);
  return {
    name,
    shape: out.source.shape,
    dtype: dtype(out.source),
    copy: false,
    method: method.name,
    options,
    each,
    models: inputs.map(plan),
    base: base === null ? null : plan(base),
    stream: streamOf(name),
  };
}

/** A head that is the embedding again, in a model that stores it once. Only where some input of the slice has a head of its own. */
function tiedTo(
  name: string,
  { title, view }: PlanModel,
  { modelOf, note }: Build,
  slice: Slice,
): ViewTensor | undefined {
  if (roleOf(name) !== 'head') return undefined;
  const titles = [...(slice.base ? [slice.base] : []), ...slice.members.map(member => member.title)];
  if (!titles.some(other => modelOf(other).view.tensors.has(name))) return undefined;
  const table = [...view.tensors.values()].find(one => roleOf(one.name) === 'embedding');
  if (table !== undefined)
    note('tied', name, `not in ${title}, which ties it to ${table.name}: that is merged in its place`);
  return table;
}

function writtenAs(recipe: Recipe, stored: StorageDtype): StorageDtype {
  const said = recipe.dtypes?.write ?? recipe.out_dtype ?? recipe.dtype;
  return said ? storageOf[said] : stored;
}

/** The shape of the result before tokens are put in a new order. */
function commonShape(name: string, first: Found, inputs: readonly Found[], { tokens, note }: Build): Shape {
  const { shape } = first.tensor;
  if (!isTokenTable(name) || tokens !== null || shape.length !== 2) return shape;
  const rows = Math.min(
    ...[first, ...inputs].filter(one => one.tensor.shape[1] === shape[1]).map(one => one.tensor.shape[0]!),
  );
  const sizes = new Set([first, ...inputs].map(one => one.tensor.shape[0]));
  if (sizes.size > 1) note('shape', name, `${[...sizes].join(' and ')} rows: cut to the first ${rows}`);
  return [rows, shape[1]!];
}

function shapeFits(shape: Shape, wanted: Shape, name: string, { tokens }: Build): boolean {
  if (isTokenTable(name) && shape.length === 2 && wanted.length === 2)
    return shape[1] === wanted[1] && (tokens !== null || shape[0]! >= wanted[0]!);
  return shape.join() === wanted.join();
}

/** A source in the shape of the result: cut, or in the rows of the new vocabulary. */
function aligned({ member, tensor }: Found, shape: Shape, { tokens, modelOf, sources }: Build, name: string): Source {
  if (tokens !== null && isTokenTable(name) && tensor.shape.length === 2) {
    const tables = sources.map(title => {
      const { tensors } = modelOf(title).view;
      return tensors.get(name) ?? [...tensors.values()].find(one => roleOf(one.name) === 'embedding');
    });
    const rows: RowsSource = {
      kind: 'rows',
      shape: [tokens.rows, tensor.shape[1]!],
      sources: tables.map(table => table?.source ?? tensor.source),
      runs: tokens.runs(sources.indexOf(member.title)),
    };
    return rows;
  }
  if (tensor.shape.join() === shape.join()) return tensor.source;
  if (tensor.source.kind === 'stored') return { ...tensor.source, shape };
  return { kind: 'rows', shape, sources: [tensor.source], runs: [{ count: shape[0]!, source: 0, from: 0 }] };
}

/** What is said of the parameters of a method, the first level that says something winning. */
function resolved(
  method: MergeMethod,
  per: 'model' | 'merge',
  levels: readonly (readonly [Parameters, tensor: string, Path])[],
  t: number,
  at: Locate,
): Readonly<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const [name, parameter] of Object.entries(method.parameters ?? {})) {
    if (parameter.per !== per) continue;
    for (const [parameters, tensor, path] of levels) {
      const setting = parameters[name];
      const value = setting === undefined || setting === null ? undefined : evaluateSetting(setting, tensor, t);
      if (value === undefined) continue;
      values[name] = numberOf(value, name, parameter.kind === 'flag', [...path, 'parameters', name], at);
      break;
    }
  }
  return values;
}

function numberOf(value: Scalar, name: string, isFlag: boolean, path: Path, at: Locate): number {
  const fits = isFlag
    ? typeof value === 'boolean' || value === 0 || value === 1
    : typeof value === 'number' && Number.isFinite(value);
  if (!fits)
    fail('E_RECIPE', `${at(path)}: ${name}: expected ${isFlag ? 'true or false' : 'a number'}, received ${JSON.stringify(value)}. Correct the recipe.`, { path }); // prettier-ignore
  return Number(value);
}

/** Rows of a tensor and their width, as passes see them. */
export const rowsOf = (
  shape: Shape,
): { readonly rows: number; readonly columns: number; readonly elements: number } => {
  const elements = elementCount(shape);
  const columns = columnsOf(shape);
  return { rows: columns === 0 ? 0 : elements / columns, columns, elements };
};
