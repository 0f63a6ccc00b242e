"""The models of ../src/architecture-shape.mjs in PyTorch: same formulas, weights and data.

`plain` computes the maps as the papers' modules do. `fused` uses what helps: the newest forms of attention and Adam,
products in place of convolutions of width 1, and keys mixed in place of maps.
"""

import torch_weights
from contestant import prepare_torch, serve
from torch_training import training


def open_contestant(options):
    import torch
    import torch.nn.functional as F

    device = prepare_torch(torch, options)
    dims, key, fused = options["dims"], options["model"], options["variant"] == "fused"
    if fused and not hasattr(F, "scaled_dot_product_attention"):
        raise ImportError("this PyTorch has no fused attention")
    B, T, H, D = (dims[k] for k in "BTHD")
    d = D // H
    p = torch_weights.load(torch, options["parameters"], device)
    for tensor in p.values():
        tensor.requires_grad_()
    groups = {name: shape[0] for name, shape in options["parameters"] if len(shape) == 4}
    hidden = torch.triu(torch.full((T, T), -1e9, device=device), 1)
    unseen = hidden < -1e4

    def affine(x, name):
        return torch.addmm(p[name + ".bias"], x.reshape(-1, x.shape[-1]), p[name + ".weight"]).view(*x.shape[:-1], -1)

    def norm(x, name):
        return F.layer_norm(x, (D,), p[name + ".weight"], p[name + ".bias"], 1e-5)

    def heads(x, count):
        return x.view(B, T, count, -1).transpose(1, 2)

    def joined(x):
        return x.transpose(1, 2).reshape(B, T, -1)

    def convolve(maps, name):
        weight = p[name + ".weight"]
        kernel = weight.shape[3]
        if fused and kernel == 1 and groups[name + ".weight"] == 1:
            product = weight.view(weight.shape[:2]) @ maps.reshape(B, -1, T * T)
            return product.view(B, -1, T, T) + p[name + ".bias"].view(-1, 1, 1)
        return F.conv2d(maps, weight, p[name + ".bias"], padding=(0, kernel // 2), groups=groups[name + ".weight"])

    def emha(x, name):
        q, k, v = (heads(affine(x, f"{name}.{part}"), H) for part in ("query", "key", "value"))
        q = q * d**-0.5
        expand = p[f"{name}.inner.expand.weight"]
        wide = expand.shape[3] > 1

        def filled(maps):
            return maps.masked_fill(unseen, 0.0) if wide else maps

        if fused and not wide:
            mixed = torch.einsum("hoj,bjsd->bhosd", expand.view(H, -1, H), k)
            maps = (q.unsqueeze(2) @ mixed.transpose(-1, -2)).view(B, -1, T, T)
            maps = maps + p[f"{name}.inner.expand.bias"].view(-1, 1, 1)
        else:
            pairs = torch.einsum("bitc,bjsc->bijts", q, k).reshape(B, H * H, T, T)
            maps = convolve(filled(pairs), f"{name}.inner.expand")
        maps = filled(torch.relu(maps))
        if f"{name}.inner.reduce.weight" in p:
            maps = filled(convolve(maps, f"{name}.inner.reduce"))
            maps = filled(torch.relu(convolve(maps, f"{name}.cross.expand")))
        maps = convolve(maps, f"{name}.cross.reduce")
        return affine(joined(torch.softmax(maps + hidden, -1) @ v), f"{name}.output")

    def attention(x, name):
        q, k, v = (heads(affine(x, f"{name}.{part}"), H) for part in ("query", "key", "value"))
        if fused:
            attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            attended = torch.softmax(q @ k.transpose(-1, -2) * d**-0.5 + hidden, -1) @ v
        return affine(joined(attended), f"{name}.output")

    def over_heads(scores, name):
        """From G maps to E by a network at every place: as linear layers behind a permutation, or as products."""
        up, down = p[f"{name}.up.weight"], p[f"{name}.down.weight"]
        up_bias, down_bias = p[f"{name}.up.bias"], p[f"{name}.down.bias"]
        if not fused:
            rows = scores.permute(0, 2, 3, 1)
            return (torch.relu(rows @ up + up_bias) @ down + down_bias).permute(0, 3, 1, 2)
        places = scores.reshape(B, -1, T * T)
        inner = torch.relu(up.t() @ places + up_bias.view(-1, 1))
        return (down.t() @ inner + down_bias.view(-1, 1)).view(B, -1, T, T)

    def global_map(x, name):
        seen = norm(x, f"{name}.norm")
        q, k = (heads(affine(seen, f"{name}.{part}"), dims["E"]) for part in ("query", "key"))
        return q * d**-0.5 @ k.transpose(-1, -2)

    def partial(x, name, added):
        q, k = (heads(affine(x, f"{name}.{part}"), H) for part in ("query", "key"))
        v = heads(affine(x, f"{name}.value"), dims["E"])
        scores = over_heads(q * d**-0.5 @ k.transpose(-1, -2), f"{name}.mix")
        attended = torch.softmax(scores + added + hidden, -1) @ v
        fed = affine(torch.relu(affine(attended, f"{name}.feed.up")), f"{name}.feed.down") + attended
        return affine(joined(fed) * torch.relu(affine(x, f"{name}.gate")), f"{name}.output")

    def logits(ids):
        x = p["embed.weight"][ids] + p["positions.weight"]
        added = global_map(x, "blocks.0.attention.map") if key == "partial" else None
        for layer in range(dims["L"]):
            block = f"blocks.{layer}"
            seen = norm(x, f"{block}.attentionNorm")
            if key == "partial":
                x = x + partial(seen, f"{block}.attention.inner", added)
                continue
            attend = attention if key == "plain" else emha
            x = x + attend(seen, f"{block}.attention")
            inner = torch.relu(affine(norm(x, f"{block}.ffnNorm"), f"{block}.ffn.up"))
            x = x + affine(inner, f"{block}.ffn.down")
        return norm(x, "norm") @ p["embed.weight"].t()

    return training(torch, options, device, p.values(), logits)


serve(open_contestant)
