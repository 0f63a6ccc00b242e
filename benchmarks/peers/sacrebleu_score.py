"""Scores of real system outputs by sacreBLEU, from texts to numbers. Its caches of tokenised lines are emptied before each step."""

import logging

from contestant import serve
from sacrebleu_systems import read_systems


def open_contestant(options):
    import numpy
    import sacrebleu
    from sacrebleu.metrics import BLEU, CHRF, TER
    from sacrebleu.significance import PairedTest
    from sacrebleu.tokenizers import tokenizer_13a, tokenizer_re, tokenizer_ter

    logging.disable(logging.CRITICAL)
    references, systems = read_systems(options["path"])
    makers = {"bleu": BLEU, "chrf": CHRF, "chrf++": lambda: CHRF(word_order=2), "ter": TER}
    cached = [
        tokenizer_13a.Tokenizer13a.__call__,
        tokenizer_re.TokenizerRegexp.__call__,
        tokenizer_ter.TercomTokenizer.__call__,
    ]

    def prepare(_, __):
        for function in cached:
            function.cache_clear()

    def step(_, case):
        if not case.startswith("paired"):
            own = list(systems.values())[: 1 if case == "ter" else None]
            return sum(makers[case]().corpus_score(texts, [references]).score for texts in own)
        metrics = {name: makers[name]() for name in case.removeprefix("paired ").split(", ")}
        _, results = PairedTest(list(systems.items()), metrics, [references], test_type="bs", n_samples=options["samples"])()
        del results["System"]
        return float(sum(r.score + (r.p_value or 0) + r.mean for own in results.values() for r in own))

    return {"version": sacrebleu.__version__, "numpy": numpy.__version__}, prepare, step, lambda _: 1


serve(open_contestant)
