/** `heddle export`: a graph of a trained model as one ONNX file. */

import { stat } from 'node:fs/promises';
import {
  bind,
  fail,
  i32,
  nextToken,
  parameterTypes,
  trace,
  trainStep,
  type CommandCall,
  type DecoderModel,
  type Graph,
  type Host,
  type Tensor,
  type Types,
} from '@heddle/core';
import { atomicWriteFile } from '@heddle/core/node';
import { decodeGraph } from '@heddle/transformer';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { numberOption, textOption } from '../numbers.js';
import { recipe } from '../recipe.js';
import { readSettings } from '../read-settings.js';
import { mebi } from '../words.js';

interface Exported {
  readonly graph: Graph;
  /** Whether the weights are constants of the file. */
  readonly constant: boolean;
}

export async function runExport(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const folder = textOption(options, 'model', 'the folder of a model or a run');
  const out = textOption(options, 'out', 'a file to write');
  const what = (options['what'] ?? 'forward') as keyof typeof graphs; // the option allows no other
  if ((await stat(out).catch(() => null)) !== null && options['force'] !== true) {
    fail(
      'E_EXISTS',
      `${out}: expected a new file, received one that exists. Name another --out, or replace it with --force.`,
      { out },
    );
  }
  const { model: found, parameters, from } = await loadModel(host, folder);
  const model = expectKind(found, 'decoder');
  const batch = numberOption(options, 'batch', { least: 1, whole: true, default: 1 });
  const length = numberOption(options, 'length', { least: 1, most: model.length, whole: true, default: model.length });
  const { exportOnnx } = await import('@heddle/backend-onnx');
  const { graph, constant } = graphs[what](model, batch, length);
  const constants = Object.fromEntries(
    Object.entries(prefixed('params', parameters)).filter(([name]) => name in graph.inputs),
  ); // some graphs leave some out
  const file = exportOnnx(graph, { name: what, kernels: host.kernels, ...(constant ? { constants } : {}) });
  await atomicWriteFile(out, file.model);

  const named = (types: Types, names: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(types).map(([name, { dtype, shape }]) => [names[name] ?? name, { name, dtype, shape }]),
    );
  const report = {
    type: 'exported',
    file: out,
    what,
    from,
    bytes: file.model.length,
    inputs: named(file.inputs, file.inputNames),
    outputs: named(file.outputs, file.outputNames),
  };
  if (options['json'] === true) call.print(JSON.stringify(report));
  else {
    const list = (face: typeof report.inputs): string => {
      const all = Object.entries(face).map(([name, { dtype, shape }]) => `${name} ${dtype}[${shape.join(', ')}]`);
      return all.length > 6
        ? `${all.slice(0, 5).join(', ')} and ${all.length - 5} more (--json lists them)`
        : all.join(', ');
    };
    call.print(`${out}: ${what}, ${mebi(file.model.length)}, ${graph.nodes.length} nodes`);
    call.print(`  in:  ${list(report.inputs)}\n  out: ${list(report.outputs)}`);
  }
  return 0;
}

const prefixed = <T>(prefix: string, items: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([name, item]) => [`${prefix}.${name}`, item]));
const below = (prefix: string, items: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(items).flatMap(([name, tensor]) =>
      name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), tensor]] : [],
    ),
  );

const graphs = {
  forward(model: DecoderModel, batch: number, length: number): Exported {
    const types: Types = { ...prefixed('params', parameterTypes(model)), ids: i32(batch, length) };
    const graph = trace(types, inputs => ({
      logits: bind(model, below('params', inputs), { training: false })(inputs['ids'] as never),
    }));
    return { graph, constant: true };
  },

  /** One new token for each row; `length` is the number of places in the cache. */
  decode: (model: DecoderModel, batch: number, length: number): Exported => ({
    graph: decodeGraph(model, { batch, places: length, count: 1, logits: true }),
    constant: true,
  }),

  /** Forward, backward, clipping and AdamW in one; parameters and moments go in and come out. */
  train(model: DecoderModel, batch: number, length: number): Exported {
    const settings = readSettings({ layers: [] });
    const objective = nextToken();
    const graph = trainStep({
      model,
      objective,
      optimizer: recipe(settings).optimizer,
      batch: objective.batch(batch, length),
      clip: settings.clip,
    });
    return { graph, constant: false };
  },
} as const;
