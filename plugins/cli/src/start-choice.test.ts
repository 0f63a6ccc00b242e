import { expect, it } from 'vitest';
import { readSettings } from './read-settings.js';
import { choose, isYes, type Found } from './start-choice.js';

const settings = readSettings({ layers: [{ where: 'test', values: { steps: 100 } }] });
const run = (step: number | null, finished = false): Found['state'] => ({ kind: 'run', settings, step, finished });
const found = (state: Found['state'], more: Partial<Found> = {}): Found => ({
  state,
  fresh: false,
  resume: false,
  person: false,
  differing: [],
  ...more,
});

it.each<[string, Found, object]>([
  ['nothing there', found({ kind: 'absent' }), { kind: 'begin', aside: false, say: null }],
  [
    'nothing there to resume',
    found({ kind: 'absent' }, { resume: true }),
    { kind: 'begin', say: expect.stringContaining('no stopped run') },
  ],
  [
    'something foreign',
    found({ kind: 'other', entries: ['photo.jpg'] }, { fresh: true }),
    { kind: 'refuse', why: 'foreign' },
  ],
  [
    'a stopped run, a person',
    found(run(40), { person: true }),
    { kind: 'ask', question: 'The run before stopped at step 40 of 100. Go on with it? [Y/n] ' },
  ],
  ['a stopped run, nobody', found(run(40)), { kind: 'resume', say: expect.stringContaining('--fresh') }],
  ['a stopped run, --resume', found(run(40), { resume: true, person: true }), { kind: 'resume' }],
  ['a stopped run, --fresh', found(run(40), { fresh: true, person: true }), { kind: 'begin', aside: true }],
  [
    'a stopped run of another text',
    found(run(40), { differing: ['text'] }),
    { kind: 'begin', aside: true, say: expect.stringContaining('another text') },
  ],
  [
    'the same with --resume',
    found(run(40), { differing: ['text'], resume: true }),
    { kind: 'refuse', why: 'differing' },
  ],
  ['no checkpoint yet', found(run(null)), { kind: 'begin', aside: true }],
  [
    'a finished run',
    found(run(100, true), { person: true }),
    { kind: 'begin', aside: true, say: expect.stringContaining('finished') },
  ],
])('%s', (_, given, choice) => expect(choose(given)).toMatchObject(choice));

it('an empty answer is yes', () => {
  expect(['', 'y', 'Yes', ' ', 'n', 'No', ' nope'].map(isYes)).toEqual([true, true, true, true, false, false, false]);
});
