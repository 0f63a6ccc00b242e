"""C = A B by PyTorch, into memory allocated once; on a CPU or, with `device`, elsewhere."""

from contestant import prepare_torch, serve


def open_contestant(options):
    import torch

    device = prepare_torch(torch, options)
    counts = options.get("repeats", {})
    cases = {}
    for n in options["sizes"]:
        i = torch.arange(n * n, dtype=torch.float64)
        a, b = (torch.sin(i * 0.7 + seed).float().reshape(n, n).to(device) for seed in (1, 2))
        cases[str(n)] = (a, b, torch.empty(n, n, device=device))

    def repeats(case):
        return counts.get(case) or max(2, min(40, round((640 / int(case)) ** 3)))

    def step(_, case):
        a, b, c = cases[case]
        for _ in range(repeats(case)):
            torch.mm(a, b, out=c)
        return None if device == "cpu" else c[-1, -1].item()

    return {"torch": torch.__version__}, lambda number, case: None, step, repeats


serve(open_contestant)
