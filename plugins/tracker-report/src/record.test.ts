import type { HeddleEvent } from '@heddle/core';
import { expect, it } from 'vitest';
import { Recorder, curvesOf } from './record.js';

const none = { snapshot: () => Promise.reject(new Error('none')), waitUntil: () => {}, stop: () => {} };
const started = (resumedFrom: number | null): HeddleEvent => ({ type: 'run.started', run: 'r', parameters: 10, backend: 'reference', steps: 9, resumedFrom, compileMs: 1 }); // prettier-ignore
const step = (at: number, loss: number): HeddleEvent => ({ type: 'step.finished', step: at, steps: 9, loss, metrics: { accuracy: at / 10 }, tokens: 8, seconds: 0.5, ...none }); // prettier-ignore

it('drops what a resumed run does again', () => {
  const recorder = new Recorder('r');
  for (const event of [started(null), ...[1, 2, 3, 4].map(at => step(at, 10 - at))]) recorder.see(event);
  recorder.see({ type: 'evaluation.finished', step: 2, scores: { validationLoss: 8 } });
  recorder.see({ type: 'evaluation.finished', step: 4, scores: { validationLoss: 6 } });
  for (const event of [started(2), step(3, 5), step(4, 4)]) recorder.see(event);
  const record = recorder.record();
  expect(record.points.map(({ step: at, loss }) => [at, loss])).toEqual([
    [1, 9],
    [2, 8],
    [3, 5],
    [4, 4],
  ]);
  expect(record.scores.map(({ step: at }) => at)).toEqual([2]);
  expect(record.end).toBeNull();
});

it('names curves by what they show, without numbers that are none', () => {
  const recorder = new Recorder('r');
  for (const event of [started(null), step(1, 3), step(2, Number.NaN), step(3, 2)]) recorder.see(event);
  recorder.see({ type: 'evaluation.finished', step: 3, scores: { validationLoss: 2.5 } });
  recorder.see({ type: 'run.finished', step: 3, reason: 'stopped', ...none });
  const record = recorder.record();
  expect(record.end).toBe('stopped');
  expect(curvesOf(record)).toEqual([
    { name: 'loss', at: [[1, 3], [3, 2]], exact: false },
    { name: 'accuracy', at: [[1, 0.1], [2, 0.2], [3, 0.3]], exact: false },
    { name: 'tokens/s', at: [[1, 16], [2, 16], [3, 16]], exact: false },
    { name: 'validationLoss', at: [[3, 2.5]], exact: true },
  ]); // prettier-ignore
});
