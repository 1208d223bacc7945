"""Sequences, optionals, and operators that hold graphs."""

import numpy as np
from onnx import helper, numpy_helper, parser

from version_judges import ByHand

from .table import INTEGERS, NUMPY, case, floats, ints, scalar, strings, tensor_type, typed, values

FIRST_TYPES = ["float", "double", "float16", *INTEGERS, "bool", "string", "complex64", "complex128"]
NARROW = ["float6e2m3", "float6e3m2"]
ALL = [name for name in NUMPY if name not in NARROW]
A, B, C = floats(1, 2), floats(3, 4), floats(5, 6)
SEQUENCE = [A, floats(7), C]


def spread(op, versions, make, names=FIRST_TYPES, **options):
    """The same row in each type, as a sequence's type and its elements' are two variables to the schema."""
    for name in names:
        case(op, versions, *make(lambda array: typed(name, array)), types=False, **options)


spread("SequenceConstruct", "*", lambda t: [t(A), t(floats(7)), t(C)], judge=ByHand(lambda *x: ([*x],)))
spread("SequenceAt", "*", lambda t: [[t(A), t(floats(7)), t(C)], scalar(1)])
case("SequenceAt", "*", SEQUENCE, typed("int32", scalar(-1)), types=False)
spread("SequenceErase", "*", lambda t: [[t(A), t(floats(7)), t(C)], scalar(1)])
case("SequenceErase", "*", SEQUENCE, types=False)
spread("SequenceInsert", "*", lambda t: [[t(A), t(C)], t(B), scalar(1)])
case("SequenceInsert", "*", SEQUENCE, B, types=False)
case("SequenceInsert", "*", SEQUENCE, B, typed("int32", scalar(-2)), types=False)
spread("SequenceLength", "*", lambda t: [[t(A), t(B)]])
for name in ("float", "int64", "string"):
    case("SequenceEmpty", "*", dtype=tensor_type(name), bind={"S": f"seq(tensor({name}))"},
         judge=ByHand(lambda dtype: ([],)))
case("SequenceEmpty", "*", bind={"S": "seq(tensor(float))"}, judge=ByHand(lambda: ([],)))
spread("ConcatFromSequence", "*", lambda t: [[t(A), t(floats(7)), t(C)]], axis=0)
case("ConcatFromSequence", "*", [A, B], axis=-1, new_axis=1, types=False)
PARTED = values(4, 6)
for name in [*FIRST_TYPES, "bfloat16"]:
    case("SplitToSequence", "*", typed(name, PARTED), scalar(3), types=False, bind={"S": f"seq(tensor({name}))"})
case("SplitToSequence", "*", PARTED, ints(1, 3), types=False, bind={"S": "seq(tensor(float))"})
case("SplitToSequence", "*", PARTED, typed("int32", scalar(4)), axis=1, types=False, bind={"S": "seq(tensor(float))"})
case("SplitToSequence", "*", PARTED, axis=-1, types=False, bind={"S": "seq(tensor(float))"})
case("SplitToSequence", "*", PARTED, keepdims=0, types=False, bind={"S": "seq(tensor(float))"})


def graph(text):
    return parser.parse_graph(text)


MAPPED = graph("body (float[n] x, float[k] y) => (float[m] z) { z = Concat<axis = 0>(x, y) }")
case("SequenceMap", "*", SEQUENCE, B, body=MAPPED, types=False, judge=ByHand(lambda x, y,
     body: ([np.concatenate([v, y]) for v in x],)))
case("SequenceMap", "*", SEQUENCE, [B, C, A], body=MAPPED, types=False,
     judge=ByHand(lambda x, y, body: ([np.concatenate(pair) for pair in zip(x, y)],)))

for name in FIRST_TYPES:
    info = helper.make_tensor_value_info
    same = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "body", [info("x", tensor_type(name), None)],
                             [info("z", tensor_type(name), None)])
    case("SequenceMap", "*", [typed(name, A), typed(name, floats(7))], body=same, types=False, judge=ByHand(lambda x,
         body: (x,)))

# Optionals: a value, none, a sequence.
for name in ALL + NARROW:
    held = {"O": f"optional(tensor({name}))"}
    case("Optional", "*", typed(name, A), bind=held, types=False, judge=ByHand(lambda x: (x,)))
    case("OptionalGetElement", "*", typed(name, A), bind=held, types=False, judge=ByHand(lambda x: (x,)))
    case("OptionalHasElement", "*", typed(name, A), bind=held, types=False, judge=ByHand(lambda x: np.array(True)))
listed = {"O": "optional(seq(tensor(float)))"}
case("Optional", "*", [A, B], bind=listed, types=False, judge=ByHand(lambda x: (x,)))
case("OptionalGetElement", "*", [A, B], bind=listed | {"V": "seq(tensor(float))"}, types=False,
     judge=ByHand(lambda x: (x,)))
case("OptionalHasElement", "*", [A, B], bind=listed, types=False, judge=ByHand(lambda x: np.array(True)))
case("OptionalGetElement", "18-", A, types=False, judge=ByHand(lambda x: (x,)))
case("OptionalHasElement", "18-", A, types=False, judge=ByHand(lambda x: np.array(True)))
case("OptionalHasElement", "18-", judge=ByHand(lambda: np.array(False)))


def typed_none(row, version, infos, given):
    """An Optional of a type that has nothing in it, seen by OptionalHasElement."""
    kind = helper.make_tensor_type_proto(1, [2])
    nodes = [helper.make_node("Optional", [], ["none"], type=kind), helper.make_node("OptionalHasElement", ["none"],
        ["y"])]
    return helper.make_graph(nodes, "none", [], [helper.make_tensor_value_info("y", tensor_type("bool"),
        [])]), [np.array(False)], "numpy"


case("Optional", "*", type=helper.make_tensor_type_proto(1, [2]), graph=typed_none)

# If, in both branches, with names of the graph around it.
THEN = graph("then () => (float[2] z) { z = Constant<value = float[2] {1, 2}>() }")
OTHERWISE = graph("otherwise () => (float[3] z) { z = Constant<value = float[3] {3, 4, 5}>() }")
for flag in (True, False):
    case("If", "*", scalar(flag, bool), then_branch=THEN, else_branch=OTHERWISE, types=False)


def captured(row, version, infos, given):
    branches = {f"{word}_branch": graph(f"{word} () => (float[2] z) {{ z = {op}(a, b) }}") for word,
                op in (("then", "Add"), ("else", "Mul"))}
    node = helper.make_node("If", ["x0"], ["y"], **branches)
    inputs = [*infos, *(helper.make_tensor_value_info(name, 1, [2]) for name in "ab")]
    given += [A, B]
    return helper.make_graph([node], "captured", inputs, [helper.make_tensor_value_info("y", 1,
        [2])]), [A + B if given[0] else A * B], "numpy"


for flag in (True, False):
    case("If", "*", scalar(flag, bool), then_branch=THEN, else_branch=OTHERWISE, types=False, graph=captured)
CHOSEN = [graph(f"b () => (seq(float[2]) z) {{ c = Constant<value = float[2] {{{n}, 2}}>()\n z = SequenceConstruct({', '.join(['c'] * n)}) }}") for n in (1, 2)]
case("If", "13-", scalar(False, bool), then_branch=CHOSEN[0], else_branch=CHOSEN[1], types=False, judge=ByHand(lambda x,
     **_: ([floats(2, 2)] * 2,)))

# Loop: a fixed number of turns, a condition, both, and what each turn leaves behind.
BODY = graph("""body (int64 i, bool go, float[2] v) => (bool on, float[2] w, float[2] kept) {
    on = Identity(go)
    w = Add(v, v)
    kept = Identity(v)
}""")
STOPPED = graph("""body (int64 i, bool go, float v) => (bool on, float w) {
    one = Constant<value = float {1}>()
    w = Add(v, one)
    limit = Constant<value = float {3.5}>()
    on = Less(w, limit)
}""")
case("Loop", "*", scalar(3), scalar(True, bool), A, body=BODY, outputs=2, types=False,
     judge=ByHand(lambda m, go, v, body: (v * 8, np.stack([v, v * 2, v * 4]))))
case("Loop", "*", scalar(3), None, A, body=BODY, outputs=2, types=False,
     judge=ByHand(lambda m, go, v, body: (v * 8, np.stack([v, v * 2, v * 4]))))
case("Loop", "*", scalar(0), None, A, body=BODY, outputs=2, types=False, judge=ByHand(lambda m, go, v,
     body: (v, np.zeros((0, 2), np.float32))))
case("Loop", "*", None, scalar(True, bool), scalar(0, np.float32), body=STOPPED, types=False, judge=ByHand(lambda m, go,
     v, body: np.float32(4)))
case("Loop", "*", scalar(2), scalar(True, bool), scalar(0, np.float32), body=STOPPED, types=False,
     judge=ByHand(lambda m, go, v, body: np.float32(2)))
case("Loop", "*", scalar(2), scalar(False, bool), scalar(7, np.float32), body=STOPPED, types=False,
     judge=ByHand(lambda m, go, v, body: v))
GROWING = graph("""body (int64 i, bool go, seq(float[2]) v) => (bool on, seq(float[2]) w) {
    on = Identity(go)
    c = Constant<value = float[2] {1, 2}>()
    w = SequenceInsert(v, c)
}""")
case("Loop", "13-", scalar(2), None, [B], body=GROWING, types=False, judge=ByHand(lambda m, go, v, body: ([*v, A, A],)))

# A value that each turn hands on, in every type.
for name in ALL:
    same = helper.make_tensor_value_info
    kind = tensor_type(name)
    held = typed(name, floats(1, 2))
    turn = helper.make_graph(
        [helper.make_node("Identity", [a], [b]) for a, b in (("go", "on"), ("v", "w"), ("v", "kept"))], "body",
        [same("i", 7, []), same("go", 9, []), same("v", kind, [2])],
        [same("on", 9, []), same("w", kind, [2]), same("kept", kind, [2])])
    case("Loop", "*", scalar(2), None, held, body=turn, outputs=2, types=False,
         judge=ByHand(lambda m, go, v, body: (v, np.stack([v, v]))))
    step = helper.make_graph(
        [helper.make_node("Identity", [a], [b]) for a, b in (("s", "t"), ("x", "y"))], "body",
        [same("s", kind, [2]), same("x", kind, [2])], [same("t", kind, [2]), same("y", kind, [2])])
    case("Scan", "9-", held, np.stack([held, held[::-1]]), body=step, num_scan_inputs=1, outputs=2, types=False,
         judge=ByHand(lambda s, x, **_: (s, x)))
    branch = helper.make_graph([helper.make_node("Constant", [], ["z"], value=numpy_helper.from_array(held, "z"))], "b",
                               [],
                               [same("z", kind, [2])])
    if name in FIRST_TYPES:
        case("If", "*", scalar(True, bool), then_branch=branch, else_branch=branch, types=False,
             judge=ByHand(lambda flag, held=held, **_: held))

# Scan: a running sum. Version 8 has a batch before all else.
RUNNING = graph("""body (float[2] s, float[2] x) => (float[2] t, float[2] y) {
    t = Add(s, x)
    y = Identity(t)
}""")
STEPS = values(3, 2)


def scan8(*inputs, body=None, num_scan_inputs=1, directions=(0,)):
    lengths, start, x = inputs
    x = x[:, ::-1] if directions[0] else x
    y = start[:, None] + np.cumsum(x, 1)
    return y[:, -1], y


BATCHED = values(2, 3, 2)
STARTS = values(2, 2)
case("Scan", "8", None, STARTS, BATCHED, body=RUNNING, num_scan_inputs=1, outputs=2, types=False, judge=ByHand(scan8))
case("Scan", "8", None, STARTS, BATCHED, body=RUNNING, num_scan_inputs=1, directions=[1], outputs=2, types=False,
     judge=ByHand(scan8))
# Past a sequence's length the standard leaves the scanned output open; the state is what can be compared.
case("Scan", "8", ints(3, 1), STARTS, BATCHED, body=RUNNING, num_scan_inputs=1, types=False, judge=ByHand(
    lambda n, start, x, **_: np.stack([s + v[:k].sum(0) for k, s, v in zip(n, start, x)])))


def scan9(start, x, body=None, num_scan_inputs=1, scan_input_axes=(0,), scan_input_directions=(0,),
          scan_output_axes=(0,), scan_output_directions=(0,)):
    x = np.moveaxis(x, scan_input_axes[0], 0)
    y = start + np.cumsum(x[::-1] if scan_input_directions[0] else x, 0)
    return y[-1], np.moveaxis(y[::-1] if scan_output_directions[0] else y, 0, scan_output_axes[0])


case("Scan", "9-", A, STEPS, body=RUNNING, num_scan_inputs=1, outputs=2, types=False, judge=ByHand(scan9))
case("Scan", "9-", A, STEPS.T.copy(), body=RUNNING, num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1],
     outputs=2, types=False, judge=ByHand(scan9))
case("Scan", "9-", A, STEPS, body=RUNNING, num_scan_inputs=1, scan_input_directions=[1], scan_output_directions=[1],
     outputs=2, types=False, judge=ByHand(scan9))
case("Scan", "11-", A, STEPS.T.copy(), body=RUNNING, num_scan_inputs=1, scan_input_axes=[-1], scan_output_axes=[-1],
     outputs=2, types=False, judge=ByHand(scan9))
