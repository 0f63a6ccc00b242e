"""A training step of transformers' Llama with an adapter by PEFT, of the shape of ../src/benches/adapter.mjs."""

from contestant import prepare_torch, serve


def open_contestant(options):
    import torch

    prepare_torch(torch, options)
    import peft
    import transformers
    from transformers import LlamaConfig, LlamaForCausalLM

    dims = options["dims"]
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=dims["V"], hidden_size=dims["D"], intermediate_size=dims["F"], num_hidden_layers=dims["L"],
        num_attention_heads=dims["H"], num_key_value_heads=dims["H"], tie_word_embeddings=True,
        max_position_embeddings=dims["T"],
    ))
    linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=options["rank"], lora_alpha=2 * options["rank"], lora_dropout=0.0, target_modules=linear, bias="none",
    ))
    model.train()
    moving = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(moving, lr=1e-4, weight_decay=0.0, fused=True)
    count = dims["B"] * dims["T"]

    def step(prepared, case):
        ids = ((torch.arange(count) + prepared) * 7919 % dims["V"]).reshape(dims["B"], dims["T"])
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    info = {"torch": torch.__version__, "peft": peft.__version__, "transformers": transformers.__version__}
    return info, lambda number, case: number, step, lambda case: 1


serve(open_contestant)
