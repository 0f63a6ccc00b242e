"""The translator of ../src/translation-shape.mjs in PyTorch: greedy, over a cache of keys and values."""

import torch_weights
from contestant import prepare_torch, serve
from reference_step import Lcg


def draw_sources(dims):
    draw = Lcg(11)
    out = []
    for _ in range(dims["sentences"]):
        length = 6 + int(draw() * (dims["S"] - 5))
        out.append([int(draw() * dims["V"]) for _ in range(length)])
    return out


def open_contestant(options):
    import torch
    import torch.nn.functional as F

    device = prepare_torch(torch, options)
    dims, fused = options["dims"], options["variant"] == "fused"
    if fused and not hasattr(F, "scaled_dot_product_attention"):
        raise ImportError("this PyTorch has no fused attention")
    H, D, L, batch, tokens = (dims[k] for k in ("H", "D", "L", "batch", "tokens"))
    d = D // H
    p = torch_weights.load(torch, options["parameters"], device)

    def affine(x, name):
        return F.linear(x, transposed[name], p[name + ".bias"])

    transposed = {
        name[: -len(".weight")]: p[name].t().contiguous()
        for name, shape in options["parameters"]
        if len(shape) == 2 and ".blocks." in name
    }

    def norm(x, name):
        return F.layer_norm(x, (D,), p[name + ".weight"], p[name + ".bias"], 1e-5)

    def heads(x):
        return x.view(x.shape[0], -1, H, d).transpose(1, 2)

    def attend(q, k, v, mask, name):
        if fused:
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            scores = q @ k.transpose(-1, -2) * d**-0.5
            attended = torch.softmax(scores if mask is None else scores + mask, -1) @ v
        return affine(attended.transpose(1, 2).reshape(q.shape[0], -1, D), f"{name}.output")

    def feed(x, block):
        inner = torch.relu(affine(norm(x, f"{block}.ffnNorm"), f"{block}.ffn.up"))
        return x + affine(inner, f"{block}.ffn.down")

    def embedded(ids, positions):
        return p["embed.weight"][ids] * D**0.5 + positions

    def encode(ids, mask):
        x = embedded(ids, p["encoder.positions.weight"][: ids.shape[1]])
        for layer in range(L):
            block = f"encoder.blocks.{layer}"
            seen = norm(x, f"{block}.attentionNorm")
            q, k, v = (heads(affine(seen, f"{block}.attention.{part}")) for part in ("query", "key", "value"))
            x = feed(x + attend(q, k, v, mask, f"{block}.attention"), block)
        return norm(x, "encoder.norm")

    def memory_of(encoded):
        return [
            tuple(heads(affine(encoded, f"decoder.blocks.{layer}.cross.{part}")) for part in ("key", "value"))
            for layer in range(L)
        ]

    def next_token(ids, place, cache, memory, mask):
        x = embedded(ids, p["decoder.positions.weight"][place])
        for layer in range(L):
            block = f"decoder.blocks.{layer}"
            seen = norm(x, f"{block}.attentionNorm")
            q, k, v = (heads(affine(seen, f"{block}.attention.{part}")) for part in ("query", "key", "value"))
            keys, values = cache[layer]
            keys[:, :, place : place + 1], values[:, :, place : place + 1] = k, v
            x = x + attend(q, keys[:, :, : place + 1], values[:, :, : place + 1], None, f"{block}.attention")
            seen = norm(x, f"{block}.crossNorm")
            q = heads(affine(seen, f"{block}.cross.query"))
            x = feed(x + attend(q, *memory[layer], mask, f"{block}.cross"), block)
        return F.linear(norm(x, "decoder.norm")[:, -1], p["embed.weight"]).argmax(-1, keepdim=True)

    given = draw_sources(dims)

    def translate(group):
        longest = max(len(source) for source in group)
        ids = torch.tensor([source + [0] * (longest - len(source)) for source in group], device=device)
        lengths = torch.tensor([[len(source)] for source in group], device=device)
        mask = torch.where(torch.arange(longest, device=device) < lengths, 0.0, -1e9)[:, None, None]
        memory = memory_of(encode(ids, mask))
        cache = [[torch.zeros(len(group), H, tokens, d, device=device) for _ in range(2)] for _ in range(L)]
        last, out = torch.ones(len(group), 1, dtype=torch.long, device=device), []
        for place in range(tokens):
            last = next_token(last, place, cache, memory, mask)
            out.append(last)
        return torch.cat(out, 1).tolist()

    def step(prepared, case):
        total = 0
        with torch.inference_mode():
            # Of similar length together, as anybody would, so that little is padding.
            order = sorted(range(len(given)), key=lambda i: len(given[i]))
            texts = [None] * len(given)
            for at in range(0, len(order), batch):
                chosen = order[at : at + batch]
                for i, text in zip(chosen, translate([given[i] for i in chosen])):
                    texts[i] = text
        for text in texts:
            for token in text:
                total = (total * 31 + token) % 1_000_003
        return total

    return {"torch": torch.__version__}, lambda number, case: None, step, lambda case: 1


serve(open_contestant)
