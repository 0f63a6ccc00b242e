import { describe, expect, it } from 'vitest';
import type { HeddleEvent } from '@heddle/core';
import { advance, noProgress, timeLeft } from './progress.js';
import { started, step } from '../fixtures/events.js';

const after = (...events: readonly HeddleEvent[]) => events.reduce(advance, noProgress);

describe('progress', () => {
  it('knows pace, loss and time left', () => {
    const state = after(
      started(100),
      ...[1, 2, 3, 4].map(at => step(at, { steps: 100, loss: 3, tokens: 500, seconds: 0.5 })),
    );
    expect(state).toMatchObject({ step: 4, steps: 100, seconds: 2, tokens: 2000 });
    expect(state.loss).toBeCloseTo(3);
    expect(state.tokensPerSecond).toBeCloseTo(1000);
    expect(timeLeft(state)).toBeCloseTo(48);
  });

  it('follows the loss of late, and shows the first as it is', () => {
    const state = after(started(1000), step(1, { loss: 10 }));
    expect(state.loss).toBeCloseTo(10);
    const later = Array.from({ length: 200 }, (_, at) => step(at + 2, { loss: 2 })).reduce(advance, state);
    expect(later.loss).toBeCloseTo(2, 2);
  });

  it('survives NaN, no time and no steps', () => {
    const state = after(started(10), step(1, { loss: Number.NaN, seconds: 0 }), step(2, { loss: 4, seconds: 0 }));
    expect(state.loss).toBeCloseTo(4);
    expect(state.tokensPerSecond).toBeNull();
    expect(timeLeft(state)).toBe(0);
    expect(timeLeft(noProgress)).toBeNull();
  });

  it('begins anew with each run, from where it resumes', () => {
    const state = after(started(10), step(1), { ...started(10), resumedFrom: 5 });
    expect(state).toMatchObject({ step: 5, tokens: 0, loss: null });
  });

  it('counts stages', () => {
    const state = after(
      { type: 'flow.started', flow: 'f', stages: ['a', 'b', 'c'] },
      { type: 'stage.cached', stage: 'a', key: '' },
      { type: 'stage.started', stage: 'b', key: '' },
    );
    expect(state.stages).toEqual({ all: ['a', 'b', 'c'], done: 1, running: 'b' });
  });
});
