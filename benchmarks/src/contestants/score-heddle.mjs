/** Scores of real system outputs by `@heddle/eval-text`, from texts to numbers, nothing kept between steps. */

import { bleu, chrf, corpusScore, pairedTest, rouge, ter } from '@heddle/eval-text';
import { serve } from '../serve.mjs';
import { readSystems } from '../systems.mjs';

await serve(({ path, samples }) => {
  const { references, systems } = readSystems(path);
  const names = Object.keys(systems);
  const metrics = { bleu, chrf, 'chrf++': () => chrf({ wordOrder: 2 }), ter };
  const all = (metric, own = names) =>
    own.reduce((sum, name) => sum + corpusScore(metric, systems[name], [references]).score.score, 0);
  const paired = made =>
    pairedTest(
      made,
      names.map(name => ({ name, hypotheses: systems[name] })),
      [references],
      { samples },
    )
      .flatMap(({ results }) => results)
      .reduce((sum, { score, p, interval }) => sum + score.score + (p ?? 0) + interval.mean, 0);
  return {
    info: { segments: references.length, systems: names.length },
    step: (_, which) => {
      if (which === 'paired bleu') return paired([bleu()]);
      if (which === 'paired bleu, chrf') return paired([bleu(), chrf()]);
      if (which === 'rouge')
        return names.reduce(
          (sum, name) =>
            systems[name].reduce((total, text, i) => total + rouge(text, references[i], { stem: true }).rougeL.f, sum),
          0,
        );
      return all(metrics[which](), which === 'ter' ? names.slice(0, 1) : names);
    },
  };
});
