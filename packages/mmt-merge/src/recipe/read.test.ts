import { describe, expect, it } from 'vitest';
import { readRecipes } from './read.js';
import { referenceOf } from './reference.js';

const message = (text: string): string => {
  try {
    readRecipes(text, 'r.yml');
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('what is wrong in a recipe is found where it stands', () => {
  it.each([
    ['merge_method: ties\nmodels:\n  - {model: a, parameterz: {weight: 1}}\n', /^r\.yml:3:16: expected one of the keys model, parameters, received 'parameterz'. Did you mean parameters\?/],
    ['merge_method: ties\nmodels:\n  - model: a\n    parameters: {weight: {filter: mlp}}\n', /^r\.yml:4:26: weight: expected a number, true, false or a text, received a mapping/],
    ['merge_method: ties\n', /^r\.yml:1:1: recipe: expected exactly one of models, slices and groups/],
    ['models: [{model: a}]\n', /^r\.yml:1:1: recipe: expected a merge_method, received nothing. Add merge_method/],
    ['merge_method: linear\nmodels: [{model: a}]\ndtype: int8\n', /^r\.yml:3:8: dtype: expected one of float32, float16, bfloat16, float64, received "int8"/],
    ['merge_method: linear\nmodels: [{model: a}]\nmodels: [{model: b}]\n', /^r\.yml:3:1: expected YAML, received Map keys must be unique/],
    ['merge_method: linear\nmodels: [{model: a}\n', /^r\.yml:\d+:\d+: expected YAML/],
    ['merge_method: passthrough\nslices:\n  - sources:\n      - {model: a, layer_range: [0, 4]}\n      - {model: b, layer_range: [0, 3]}\n', /^r\.yml:5:33: layer_range: expected as many layers as the first source has \(4\)/],
    ['merge_method: linear\nmodels: [{model: a}]\ntokenizer: {source: union, tokens: {x: {source: {kind: model_token, model: a}}}}\n', /^r\.yml:3:49: source: expected either token or token_id/],
    ['merge_method: linear\ngroups:\n  ../up: {models: [{model: a}]}\n', /^r\.yml:3:3: expected a name that can be a folder, received '..\/up'/],
    ['name: ..\nmerge_method: linear\nmodels: [{model: a}]\n', /^r\.yml:1:7: name: expected a name that can be a folder/],
    ['name: a\nmerge_method: linear\nmodels: [{model: b}]\n---\nname: b\nmerge_method: linear\nmodels: [{model: a}]\n', /circle, received a -> b -> a/],
    ['merge_method: linear\nmodels: [{model: a}]\n---\nmerge_method: linear\nmodels: [{model: b}]\n', /^r\.yml:4:1: expected at most one document without a name/],
    ['merge_method: linear\nmodels: [{model: a}]\nmodules: {text: {}}\n', /^r\.yml:3:1: expected models, slices or groups, received 'modules'/],
    ['a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n', /^r\.yml: expected aliases/],
  ])('%j', (text, expected) => expect(message(text)).toMatch(expected)); // prettier-ignore
});

it('documents come after those that they use', () => {
  const recipes = readRecipes(
    'merge_method: linear\nmodels: [{model: b}]\n---\nname: b\nmerge_method: linear\nmodels: [{model: a}]\n---\nname: a\nmerge_method: linear\nmodels: [{model: x}]\n',
  );
  expect(recipes.map(({ recipe }) => recipe.name)).toEqual(['a', 'b', undefined]);
});

it.each([
  ['org/model', { path: 'org/model', revision: null, lora: null }],
  ['org/model@v1', { path: 'org/model', revision: 'v1', lora: null }],
  ['a@r+b@s', { path: 'a', revision: 'r', lora: { path: 'b', revision: 's' } }],
  ['node_modules/@scope/model', { path: 'node_modules/@scope/model', revision: null, lora: null }],
])('a name of a model: %s', (name, expected) => expect(referenceOf(name)).toEqual(expected));
