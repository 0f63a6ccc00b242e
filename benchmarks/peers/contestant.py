"""The child's side of a contest, in Python: the protocol of ../src/serve.mjs."""

import json
import resource
import sys
import time

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def say(message):
    sys.stdout.write("@" + json.dumps(message) + "\n")
    sys.stdout.flush()


def options():
    return json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}


def prepare_torch(torch, options):
    """Threads, device and full single precision, as the options have them. Returns the device."""
    device = options.get("device", "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ImportError("this PyTorch finds no CUDA device")
    torch.set_num_threads(options["threads"])
    torch.backends.cuda.matmul.allow_tf32 = False
    return device


def serve(open_contestant):
    """open_contestant(options) returns (info, prepare(step, case), step(prepared, case), repeats(case))."""
    began = time.perf_counter()
    try:
        info, prepare, step, repeats = open_contestant(options())
    except ImportError as error:
        say({"skip": str(error)})
        return
    say({"ready": True, "openMs": (time.perf_counter() - began) * 1e3, "info": info})
    counts = {}
    for line in sys.stdin:
        asked = json.loads(line)
        case = asked.get("case")
        wall, cpu, values = [], [], []
        for _ in range(asked["run"]):
            number = counts.get(case, 0)
            counts[case] = number + 1
            prepared = prepare(number, case)
            n = repeats(case)
            cpu_from, wall_from = time.process_time(), time.perf_counter()
            values.append(step(prepared, case))
            wall.append((time.perf_counter() - wall_from) * 1e3 / n)
            cpu.append((time.process_time() - cpu_from) * 1e3 / n)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
        say({"wall": wall, "cpu": cpu, "values": values, "peak": peak})
