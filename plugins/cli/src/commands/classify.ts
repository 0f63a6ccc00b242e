import type { Command } from '@heddle/core';
import { trackerOption } from '../trackers.js';

export const classify: Command = {
  name: 'classify',
  describe:
    'Teach several models to tell patients from controls by how their brain regions go together, and compare them. A stopped run goes on.',
  options: [
    {
      flags: '--matrices <folder>',
      describe:
        'correlation matrices or time series of subjects: .npy, .csv, .tsv, .txt, .1D (default: generated subjects)',
    },
    { flags: '--table <file>', describe: 'the table of their labels and sites, such as that of ABIDE' },
    { flags: '--subjects <n>', describe: 'generated subjects (default: 400)' },
    { flags: '--regions <n>', describe: 'of each (default: 60)' },
    { flags: '--effect <x>', describe: 'how far the two groups are apart, 0 to 1 (default: 0.4)' },
    { flags: '--models <names>', describe: 'some of baseline,emha,partial (default: all)' },
    { flags: '--splits <n>', describe: 'ways to part the subjects, each learnt by every model (default: 3)' },
    { flags: '--steps <n>', describe: 'optimizer steps (default: 200)' },
    { flags: '--batch <n>', describe: 'subjects of a batch (default: 16)' },
    { flags: '--width <n>', describe: 'of the models (default: 64)' },
    { flags: '--depth <n>', describe: 'blocks (default: 2)' },
    { flags: '--rate <x>', describe: 'the highest learning rate (default: 0.001)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--processes <n>', describe: 'models at a time, one thread each, on onnx:cpu (default: as many as processors, up to 4)' }, // prettier-ignore
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    trackerOption,
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/classify)' },
    { flags: '--plan', describe: 'say what would run and what is there already, and run nothing' },
    { flags: '--fresh', describe: 'begin anew; the run that is there is kept as FOLDER.before' },
  ],
  examples: [
    'classify',
    'classify --effect 0.2 --subjects 1000 --steps 600',
    'classify --matrices rois_cc200 --table Phenotypic_V1_0b_preprocessed1.csv --splits 5 --out runs/abide',
  ],
  run: async (call, host) => (await import('./classify.run.js')).runClassify(call, host),
};
