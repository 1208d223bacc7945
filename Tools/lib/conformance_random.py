"""Checks the official cases whose outputs are random through `sardonyx run`: type, shape and statistics.

usage: conformance_random.py SARDONYX FOLDER     FOLDER as conformance_cases.py and conformance_debian.py have written it

Each case runs as it is, for the outputs' types and shapes, and with its first input repeated 20,000 times, for the
statistics: a share of draws may be off by five standard deviations of its binomial distribution. Bernoulli gives ones as
often as x says. Dropout keeps a share of 1 - ratio, scaled by 1 / (1 - ratio), and its mask says which.
"""

import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

REPEATS = 20_000


def run(program, model, inputs):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "model.onnx").write_bytes(model.SerializeToString())
        command = [program, "run", str(scratch / "model.onnx"), "--output-dir", str(scratch / "out")]
        for number, (info, value) in enumerate(zip(model.graph.input, inputs)):
            np.save(scratch / f"{number}.npy", value)
            command += ["--input", f"{info.name}={scratch / f'{number}.npy'}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise ValueError(done.stderr.strip())
        return [np.load(scratch / "out" / f"{info.name}.npy") for info in model.graph.output]


def repeated(model, inputs):
    """The model for its first input so many times as an axis in front, and the inputs."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    shape = [REPEATS * inputs[0].shape[0], *inputs[0].shape[1:]]
    for info in [model.graph.input[0], *model.graph.output]:
        for place, extent in zip(info.type.tensor_type.shape.dim, shape):
            place.dim_value = extent
    del model.graph.value_info[:]
    return model, [np.concatenate([inputs[0]] * REPEATS), *inputs[1:]]


def check_share(what, count, draws, share):
    allowed = 5 * math.sqrt(draws * share * (1 - share))
    if abs(count - draws * share) > allowed:
        raise ValueError(f"{what}: {count} of {draws}, where {draws * share:.0f} ± {allowed:.0f} were expected")


def check_bernoulli(model, inputs, outputs):
    x, y = inputs[0], outputs[0]
    # Written out as onnx has it, a random number greater than x gives 1: as often as x does not say.
    if any(node.op_type == "Greater" for node in model.graph.node):
        x = 1 - x
    if not np.isin(y, (0, 1)).all():
        raise ValueError("a value is neither 0 nor 1")
    for place, share in enumerate(x[: len(x) // REPEATS]):
        check_share(f"ones at {place}", int(y[place :: len(x) // REPEATS].sum()), REPEATS, float(share))


def check_dropout(model, inputs, outputs):
    x, y = inputs[0], outputs[0]
    ratio = float(inputs[1]) if len(inputs) > 1 else 0.5
    kept = outputs[1] if len(outputs) > 1 else y != 0
    check_share("kept", int(kept.sum()), kept.size, 1 - ratio)
    expected = np.where(kept, x / (1 - ratio), 0)
    if not np.allclose(y, expected, 1e-6, 0):
        raise ValueError("a value is neither 0 nor the scaled input, or not as the mask says")


def check(program, case):
    model = onnx.load(case / "model.onnx")
    data = case / "test_data_set_0"

    def values(word):
        count = len(list(data.glob(f"{word}_*.pb")))
        return [numpy_helper.to_array(onnx.load_tensor(data / f"{word}_{index}.pb")) for index in range(count)]

    inputs = values("input")
    for number, (got, expected) in enumerate(zip(run(program, model, inputs), values("output"), strict=True)):
        if (got.dtype, got.shape) != (expected.dtype, expected.shape):
            raise ValueError(f"output {number} is {got.dtype}{got.shape}, not {expected.dtype}{expected.shape}")
    model, inputs = repeated(model, inputs)
    (check_dropout if "dropout" in case.name else check_bernoulli)(model, inputs, run(program, model, inputs))


def main():
    program, top = sys.argv[1], pathlib.Path(sys.argv[2])
    cases = sorted((top / "random").glob("*/*"))
    failed = 0
    for case in cases:
        try:
            check(program, case)
        except ValueError as error:
            failed += 1
            print(f"{case.parent.name}/{case.name}: {error}")
    print(f"conformance: {len(cases) - failed} of {len(cases)} random cases have the right types, shapes and statistics")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
