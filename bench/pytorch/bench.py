#!/usr/bin/env python3
"""Times PyTorch's LXMERT (Hugging Face transformers) as `lxmert bench --json` times ours: the base-size model with 3,129 answers, 20 tokens and 36 regions,
or with --train a step of pre-training (all five losses, dropout, gradients clipped to 1, AdamW). Prints a JSON object for each batch size, under the same names.

    python bench/pytorch/bench.py --batch 1,8,32
    python bench/pytorch/bench.py --batch 32 --train --dtype bfloat16

Wants torch and transformers. Weights are random: the time does not depend on them.
"""
import argparse
import json
import time

import torch
from transformers import LxmertConfig, LxmertForPreTraining, LxmertForQuestionAnswering

parser = argparse.ArgumentParser()
parser.add_argument("--batch", default="1,8,32")
parser.add_argument("--tokens", type=int, default=20)
parser.add_argument("--regions", type=int, default=36)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--warm-up", type=int, default=3)
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32", help="bfloat16: autocast")
parser.add_argument("--tf32", action="store_true", help="products of float32 in tf32, as XLA's are unless its option tf32=false is given")
parser.add_argument("--compile", action="store_true", help="torch.compile")
parser.add_argument("--train", action="store_true")
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
o = parser.parse_args()

torch.backends.cuda.matmul.allow_tf32 = o.tf32
torch.manual_seed(1)
device = torch.device(o.device)
config = LxmertConfig(num_qa_labels=9500 if o.train else 3129)
model = (LxmertForPreTraining if o.train else LxmertForQuestionAnswering)(config).to(device)
model.train(o.train)
run = torch.compile(model) if o.compile else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)


def inputs(n):
    """A batch on the host, as ours begins there."""
    t, r = o.tokens, o.regions
    batch = {
        "input_ids": torch.randint(1, config.vocab_size, (n, t)),
        "attention_mask": torch.ones(n, t),
        "token_type_ids": torch.zeros(n, t, dtype=torch.long),
        "visual_feats": torch.rand(n, r, config.visual_feat_dim),
        "visual_pos": torch.rand(n, r, config.visual_pos_dim),
    }
    if o.train:
        batch["labels"] = torch.where(torch.rand(n, t) < 0.15, batch["input_ids"], torch.full((n, t), -100))
        batch["matched_label"] = torch.randint(0, 2, (n,))
        batch["ans"] = torch.randint(0, config.num_qa_labels, (n,))
        confidence = torch.rand(n, r)
        batch["obj_labels"] = {
            "obj": (torch.randint(0, config.num_object_labels, (n, r)), confidence),
            "attr": (torch.randint(0, config.num_attr_labels, (n, r)), confidence),
            "feat": (torch.rand(n, r, config.visual_feat_dim), confidence),
        }
    return batch


def to(x):
    if isinstance(x, dict):
        return {k: to(v) for k, v in x.items()}
    return tuple(to(v) for v in x) if isinstance(x, tuple) else x.to(device)


def one_pass(batch):
    """A pass from the host's inputs to numbers on the host."""
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=o.dtype == "bfloat16"):
        out = run(**to(batch))
    if not o.train:
        return out.question_answering_score.float().cpu()
    optimizer.zero_grad(set_to_none=True)
    out.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return out.loss.item()


for n in map(int, o.batch.split(",")):
    batch, times = inputs(n), []
    for i in range(o.warm_up + o.rounds):
        start = time.perf_counter()
        with torch.set_grad_enabled(o.train):
            one_pass(batch)
        if device.type == "cuda":
            torch.cuda.synchronize()
        if i >= o.warm_up:
            times.append(1000 * (time.perf_counter() - start))
    times.sort()
    median = times[len(times) // 2]
    print(json.dumps({
        "dtype": o.dtype, "batch": n, "tokens": o.tokens, "regions": o.regions, "median_ms": round(median, 3),
        "p95_ms": round(times[(95 * len(times) + 99) // 100 - 1], 3), "per_second": round(1000 * n / median, 2),
        "device_mb": round(torch.cuda.max_memory_allocated() / 1e6) if device.type == "cuda" else 0,
        "backend": f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if device.type == 'cuda' else 'cpu'}" + (", tf32" if o.tf32 else ""),
    }), flush=True)
