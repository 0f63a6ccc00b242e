"""Sampling by transformers' generate: a Llama of the shape of ../src/decoder-shape.mjs answers prompts at temperature 1."""

from contestant import prepare_torch, serve


def open_contestant(options):
    import torch

    prepare_torch(torch, options)
    import transformers
    from transformers import LlamaConfig, LlamaForCausalLM

    dims, batch, prompt, tokens = (options[name] for name in ("dims", "batch", "prompt", "tokens"))
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=dims["V"], hidden_size=dims["D"], intermediate_size=dims["F"], num_hidden_layers=dims["L"],
        num_attention_heads=dims["H"], num_key_value_heads=dims["G"], tie_word_embeddings=True, eos_token_id=None,
        bos_token_id=None, pad_token_id=0, max_position_embeddings=dims["S"],
    )).eval()
    ids = torch.arange(batch * prompt).reshape(batch, prompt) * 7 % dims["V"]
    mask = torch.ones_like(ids)

    def step(prepared, case):
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=tokens,
                min_new_tokens=tokens,
            )
        return out.shape[1] - prompt

    info = {"torch": torch.__version__, "transformers": transformers.__version__}
    return info, lambda number, case: None, step, lambda case: 1


serve(open_contestant)
