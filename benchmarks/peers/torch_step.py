"""The reference step in PyTorch. `plain` spells attention out, as every version can; `fused` uses the newest forms."""

import math

from contestant import prepare_torch, serve
from reference_step import parameters, weights
from torch_training import training


def open_contestant(options):
    import torch
    import torch.nn.functional as F

    device = prepare_torch(torch, options)
    dims, fused = options["dims"], options["variant"] == "fused"
    if fused and not hasattr(F, "scaled_dot_product_attention"):
        raise ImportError("this PyTorch has no fused attention")
    B, T, H, D = (dims[k] for k in "BTHD")
    drawn = weights(dims)

    def parameter(name, shape):
        return torch.frombuffer(drawn.pop(name), dtype=torch.float32).clone().reshape(shape).to(device).requires_grad_()

    p = {name: parameter(name, shape) for name, shape in parameters(dims)}
    hidden = torch.triu(torch.full((T, T), -1e9, device=device), 1)

    def attend(q, k, v):
        if fused:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = q @ k.transpose(-1, -2) / math.sqrt(D // H) + hidden
        return torch.softmax(scores, -1) @ v

    def attention(x, layer):
        heads = (t.view(B, T, H, D // H).transpose(1, 2) for t in (x @ p[f"wqkv{layer}"]).split(D, 2))
        return attend(*heads).transpose(1, 2).reshape(B, T, D) @ p[f"wo{layer}"]

    def norm(x, name):
        gain, bias = (p[name.format(part)] for part in "gb")
        return F.layer_norm(x, (D,), gain, bias, 1e-5)

    def logits(ids):
        x = p["wte"][ids] + p["wpe"]
        for layer in range(dims["L"]):
            x = x + attention(norm(x, f"ln1{{}}{layer}"), layer)
            x = x + F.gelu(norm(x, f"ln2{{}}{layer}") @ p[f"w1{layer}"]) @ p[f"w2{layer}"]
        return norm(x, "lnf{}") @ p["head"]

    return training(torch, options, device, p.values(), logits)


serve(open_contestant)
