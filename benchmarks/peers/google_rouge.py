"""ROUGE of real system outputs by Google's rouge_score."""

from contestant import serve
from sacrebleu_systems import read_systems


def open_contestant(options):
    from rouge_score import rouge_scorer

    references, systems = read_systems(options["path"])
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)

    def step(_, __):
        return sum(scorer.score(reference, text)["rougeL"].fmeasure for own in systems.values() for reference, text in zip(references, own))

    return {}, lambda *_: None, step, lambda _: 1


serve(open_contestant)
