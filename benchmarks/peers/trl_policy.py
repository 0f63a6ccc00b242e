"""GRPO by TRL's GRPOTrainer on the model of ../src/policy-shape.mjs: one optimizer step a turn."""

import os
import tempfile
import threading

from contestant import prepare_torch, serve


def prompt_of(dims, index):
    return [2 + (index * 31 + i * 7) % (dims["V"] - 2) for i in range(dims["promptLength"])]


def open_contestant(options):
    import torch

    prepare_torch(torch, options)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers
    import trl
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    dims = options["dims"]
    names = ["<pad>", "<eos>"] + [f"t{i}" for i in range(2, dims["V"])]
    words = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", padding_side="left")
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=dims["V"], hidden_size=dims["D"], intermediate_size=dims["F"], num_hidden_layers=dims["L"],
        num_attention_heads=dims["H"], num_key_value_heads=dims["H"], tie_word_embeddings=True, pad_token_id=0,
        eos_token_id=1, bos_token_id=None, max_position_embeddings=512,
    ))
    rows = Dataset.from_list([{"prompt": " ".join(names[i] for i in prompt_of(dims, n))} for n in range(4096)])
    answers = dims["prompts"] * dims["group"]
    seen = {}

    def worth(completions, completion_ids=None, **kwargs):
        seen["tokens"] = sum(len(ids) for ids in completion_ids)
        return [sum(i % 2 == 0 for i in ids) / max(1, len(ids)) for ids in completion_ids]

    go, done = threading.Semaphore(0), threading.Semaphore(0)

    class Turns(TrainerCallback):
        """Each step waits for its turn."""

        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == 0:
                return
            done.release()
            go.acquire()

    trainer = GRPOTrainer(
        model=model,
        reward_funcs=worth,
        processing_class=tokenizer,
        train_dataset=rows,
        callbacks=[Turns()],
        args=GRPOConfig(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=answers, num_generations=dims["group"],
            max_completion_length=dims["length"], learning_rate=1e-4, lr_scheduler_type="constant", beta=0.0,
            temperature=1.0, loss_type="grpo", use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
            logging_strategy="no", save_strategy="no", max_steps=100000, disable_tqdm=True, weight_decay=0.0,
            top_k=0, optim="adamw_torch_fused",
        ),
    )
    failure = []

    def train():
        try:
            trainer.train()
        except BaseException as error:  # told where the turn is waited for
            failure.append(error)
            done.release()

    threading.Thread(target=train, daemon=True).start()

    def wait():
        done.acquire()
        if failure:
            raise failure[0]

    def step(prepared, case):
        go.release()
        wait()
        return seen["tokens"]

    wait()  # for the first step, which begins by itself; a turn is from one beginning to the next
    info = {"torch": torch.__version__, "trl": trl.__version__, "transformers": transformers.__version__}
    return info, lambda number, case: None, step, lambda case: 1


serve(open_contestant)
