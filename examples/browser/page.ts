/** The page: finds the fastest engine, trains a small decoder on the text, writes with it. Run: node examples/browser/serve.mjs */

import {
  adamW,
  createHost,
  nextToken,
  schedule,
  stopWhen,
  train,
  type Backend,
  type Checkpoint,
  type HostTensor,
} from '@heddle/core';
import gpujs, { type GpujsEvent } from '@heddle/backend-gpujs';
import { byteTokenizer, packDocuments, packedBatches } from '@heddle/text';
import { createDecoder, createGenerator } from '@heddle/transformer';
import type { Subscription } from 'rxjs';
import { drawCurve } from './curve.js';
import { fastest, probe, type Probe } from './probe.js';

const get = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const [text, steps, prompt, temperature] = [
  get<HTMLTextAreaElement>('text'),
  get<HTMLInputElement>('steps'),
  get<HTMLInputElement>('prompt'),
  get<HTMLInputElement>('temperature'),
];
const [trainButton, stopButton, writeButton, quietButton] = ['train', 'stop', 'write', 'quiet'].map(id =>
  get<HTMLButtonElement>(id),
) as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
const [status, written, explain, curve] = [
  get('status'),
  get('written'),
  get('explain'),
  get<HTMLCanvasElement>('curve'),
];

text.value = [
  'the heddle lifts the warp and the weft goes through.',
  'the shed opens, the shuttle flies, the reed beats the weft home.',
  'a thread over, a thread under: the cloth grows row by row.',
  'the weaver counts the threads and sings to the loom.',
].join('\n');

const tokenizer = byteTokenizer();
const model = createDecoder({ vocabulary: tokenizer.vocabularySize, length: 128, width: 64, depth: 2, heads: 4 });
const host = createHost({ plugins: [gpujs] });
let backend: Backend;
let parameters: Record<string, HostTensor> | null = null;

const show = ({ name, milliseconds }: Probe, taken: boolean): string =>
  `<li class="${taken ? 'taken' : ''}" data-engine="${name}">${taken ? '→ ' : ''}${name}: ${milliseconds === null ? '' : `${milliseconds.toFixed(1)} ms a trial run. `}<small></small></li>`;

function list(probes: readonly Probe[], taken: Probe | null): void {
  const engines = get('engines');
  engines.innerHTML = probes.map(one => show(one, one === taken)).join('');
  probes.forEach((one, i) => (engines.children[i]!.querySelector('small')!.textContent = one.words)); // words may hold anything
}

function lineOf(event: GpujsEvent): string {
  switch (event.type) {
    case 'graph.compiled':
      return `${event.name}: ${event.launches} kernels and ${event.products} products on ${event.backend}, compiled in ${event.seconds.toFixed(2)} s`;
    case 'kernel.chosen':
      return `kernel ${event.op}: ${event.times} times`;
    case 'kernel.fellBack':
      return `kernel ${event.op} passed over: ${event.reason}`;
    case 'device.lost':
      return `the device was lost: ${event.reason}`;
  }
}

async function chooseEngine(): Promise<void> {
  const wanted = new URLSearchParams(location.search).get('engine');
  const seen: Probe[] = [];
  const probes = await probe(host, one => {
    seen.push(one);
    list(seen, null);
  });
  const asked = probes.find(({ name }) => name === wanted);
  const taken = asked ?? fastest(probes);
  list(probes, taken);
  const onEvent = (event: GpujsEvent): void => void (explain.textContent += `${lineOf(event)}\n`);
  ({ backend } = await host.openBackend(taken?.name ?? 'reference', { onEvent }));
  status.textContent = asked
    ? `${backend.name}, as the address asks for.`
    : `${backend.name} ran the trial fastest, so it trains. ?engine=NAME chooses another.`;
  trainButton.disabled = false;
}

function busy(training: boolean, writing: boolean): void {
  trainButton.disabled = training || writing;
  stopButton.disabled = !training;
  writeButton.disabled = training || writing || parameters === null;
  quietButton.disabled = !writing;
}

function parametersOf({ tensors }: Checkpoint): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith('params.') ? [[name.slice(7), tensor] as const] : [],
    ),
  );
}

function startTraining(): void {
  const total = Math.max(1, Number(steps.value));
  const losses: number[] = [];
  let stopped = false;
  stopButton.onclick = () => (stopped = true);
  busy(true, false);
  status.textContent = 'Compiling…';
  const tokens = packDocuments(
    [{ name: 'text', text: `${text.value}\n`.repeat(Math.ceil(4000 / (text.value.length + 1))) }],
    tokenizer,
  );
  const began = performance.now();
  let count = 0;
  train({
    name: 'tab',
    model,
    objective: nextToken(),
    optimizer: adamW(),
    schedule: schedule.cosine(5e-3, { warmUp: 20, total }),
    data: packedBatches(tokens, { batch: 8, length: 64, seed: 1 }),
    backend,
    kernels: host.kernels,
    steps: total,
    clip: 1,
  })
    .pipe(stopWhen(() => stopped))
    .subscribe({
      next(event) {
        if (event.type === 'step.finished') {
          losses.push(event.loss);
          count += event.tokens;
          drawCurve(curve, losses, total);
          const each = (performance.now() - began) / 1000;
          status.textContent = `Step ${event.step} of ${total}: loss ${event.loss.toFixed(3)}, ${Math.round(count / each)} tokens a second`;
          // A turn for the browser to draw and for the Stop button.
          event.waitUntil(new Promise(resolve => setTimeout(resolve, 0)));
        }
        if (event.type === 'run.finished')
          event.waitUntil(event.snapshot().then(snapshot => (parameters = parametersOf(snapshot))));
      },
      error(error: Error) {
        status.textContent = error.message;
        busy(false, false);
      },
      complete() {
        status.textContent += stopped ? '. Stopped.' : '. Done.';
        busy(false, false);
      },
    });
}

function startWriting(): void {
  busy(false, true);
  written.textContent = prompt.value;
  const generator = createGenerator({ model, params: parameters!, backend, kernels: host.kernels });
  let writing: Subscription | null = null;
  const end = (words: string): void => {
    writing?.unsubscribe();
    void generator.close().then(() => {
      status.textContent = words;
      busy(false, false);
    });
  };
  quietButton.onclick = () => end('Stopped writing.');
  writing = generator
    .generate([tokenizer.encode(prompt.value)], {
      maxTokens: 110,
      temperature: Number(temperature.value),
      seed: Math.floor(Math.random() * 1e6),
      decoder: () => tokenizer.decoder(),
    })
    .subscribe({
      next: event => {
        if (event.type === 'token') written.textContent += event.text ?? '';
      },
      error: (error: Error) => end(error.message),
      complete: () => end('Written.'),
    });
}

trainButton.onclick = startTraining;
writeButton.onclick = startWriting;
drawCurve(curve, [], Number(steps.value));
chooseEngine().catch((error: unknown) => (status.textContent = error instanceof Error ? error.message : String(error)));
