import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeddleEvent } from '@heddle/core';
import { eventLine, logLine, plain, progressLine } from './lines.js';
import { advance, noProgress, type Progress } from './progress.js';
import { finished, started, step } from '../fixtures/events.js';

const halfway = [started(10), ...[1, 2, 3, 4, 5].map(at => step(at))].reduce(advance, noProgress);
const line = (event: HeddleEvent, state: Progress = halfway): string | null => eventLine(event, state, plain);

describe('lines', () => {
  it('of progress show step, loss, pace and time', () => {
    expect(progressLine(halfway, 200, plain)).toBe(
      '━━━━━━━━━━──────────  5/10  loss 4.380  █▄▂▁▁  10.0k tok/s  0.5s  0.5s left',
    );
    expect(logLine(halfway)).toBe('step 5/10 (50%) loss 4.380 10.0k tok/s 0.5s elapsed, 0.5s left');
  });

  it('of progress never are wider than asked, and keep the step longest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120 }), fc.string({ unit: 'grapheme' }), (width, stage) => {
        const state = { ...halfway, stages: { all: [stage], done: 0, running: stage } };
        expect(progressLine(state, width, plain).length).toBeLessThanOrEqual(width);
      }),
    );
    expect(progressLine(halfway, 6, plain)).toBe('5/10');
  });

  it('of progress say NaN when it comes', () => {
    const broken = advance(halfway, step(6, { loss: Number.NaN }));
    expect(progressLine(broken, 200, plain)).toContain('now NaN');
    expect(logLine(broken)).toContain('now NaN');
  });

  it('of events', () => {
    expect(line({ ...started(10), resumedFrom: 3 })).toBe(
      'demo  1.2M parameters on reference, 10 steps, resumed from step 3, ready in 1.2s',
    );
    expect(line({ type: 'checkpoint.saved', step: 5, uri: 'runs/demo/5' })).toBe('saved step 5 to runs/demo/5');
    expect(line({ type: 'evaluation.finished', step: 5, scores: { loss: 2.5, bleu: 31.25 } })).toBe(
      'evaluated step 5: loss 2.500, bleu 31.25',
    );
    expect(line({ type: 'notice', code: 'N_FALLBACK', message: 'slow\nway' })).toBe('N_FALLBACK slow way');
    expect(line(finished(5, 'cancelled'))).toBe('cancelled at step 5/10 in 0.5s, loss 4.380, 5.0k tokens, 10.0k tok/s');
    expect(line({ ...step(6), type: 'step.failed', loss: Number.NaN, path: 'decoder.0: log' })).toBe(
      'failed at step 6: loss NaN, first wrong in decoder.0: log',
    );
    expect(line({ type: 'flow.started', flow: 'demo', stages: ['a', 'b'] })).toBe('demo  a → b');
    const inFlow = advance(noProgress, { type: 'flow.started', flow: 'demo', stages: ['a', 'b'] });
    expect(line({ type: 'stage.started', stage: 'a', key: 'k' }, inFlow)).toBe('▸ a (1/2)');
    expect(line({ type: 'stage.cached', stage: 'a', key: 'k' })).toBe('✓ a kept from before');
    expect(line({ type: 'stage.finished', stage: 'b', key: 'k', output: 0, seconds: 63 })).toBe('✓ b in 1m 03s');
    expect(line({ type: 'flow.finished', flow: 'demo', output: 0 })).toBe('demo done');
    expect(line(step(1))).toBeNull();
    expect(line({ type: 'rollout.finished' } as unknown as HeddleEvent)).toBeNull(); // events of tomorrow
  });
});
