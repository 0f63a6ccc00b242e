"""Says which PyTorch this interpreter has, or why it has none."""

import json
import os
import re
import sys

try:
    import torch
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit(0)


def blas():
    """Debian's build takes whichever library is installed: only what is in memory tells."""
    named = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    name = named.group(1) if named else "unknown"
    if name != "generic":
        return {"mkl": "MKL", "open": "OpenBLAS"}.get(name, name)
    torch.mm(torch.ones(8, 8), torch.ones(8, 8))
    if os.path.exists("/proc/self/maps"):
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            if "openblas" in maps.read().lower():
                return "OpenBLAS"
    return "reference BLAS"


print(json.dumps({
    "version": torch.__version__,
    "blas": blas(),
    "python": sys.version.split()[0],
    "prefix": sys.prefix,
    "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    "fused": hasattr(torch.nn.functional, "scaled_dot_product_attention"),
}))
