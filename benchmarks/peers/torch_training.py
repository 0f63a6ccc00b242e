"""A contestant whose step is one of training: Adam on the batches of the reference step."""

from reference_step import batch


def training(torch, options, device, parameters, logits):
    """What serve asks of a contestant. `logits` goes from ids [B, T] to [B, T, V]."""
    dims = options["dims"]
    B, T, V = (dims[k] for k in "BTV")
    kind = {"fused": True} if options["variant"] == "fused" else {"foreach": True}
    optimizer = torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, **kind)

    def prepare(number, case):
        ids, targets = batch(dims, number % 12)
        return torch.tensor(ids, device=device).reshape(B, T), torch.tensor(targets, device=device)

    def step(prepared, case):
        ids, targets = prepared
        loss = torch.nn.functional.cross_entropy(logits(ids).view(-1, V), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return {"torch": torch.__version__, "threads": torch.get_num_threads()}, prepare, step, lambda case: 1
