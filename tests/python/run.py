"""Runs an ONNX model in Python's ONNX Runtime.

python run.py MODEL < inputs.json > outputs.json

A tensor is {"dtype": "float32", "shape": [2], "data": BASE64}. Says the versions on standard error; checks the model
with the onnx package where that is installed.
"""

import base64
import json
import sys

import numpy
import onnxruntime

path = sys.argv[1]
try:
    import onnx

    onnx.checker.check_model(onnx.load(path), full_check=True)
    checked = f"onnx {onnx.__version__} checked the model"
except ImportError:
    checked = "onnx is not installed: model not checked"
print(f"onnxruntime {onnxruntime.__version__}; {checked}", file=sys.stderr)


def read(tensor):
    data = base64.b64decode(tensor["data"])
    return numpy.frombuffer(data, dtype=tensor["dtype"]).reshape(tensor["shape"])


inputs = {name: read(tensor) for name, tensor in json.load(sys.stdin).items()}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
results = session.run(names, inputs)
json.dump(
    {
        name: {
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "data": base64.b64encode(numpy.ascontiguousarray(value).tobytes()).decode(),
        }
        for name, value in zip(names, results)
    },
    sys.stdout,
)
