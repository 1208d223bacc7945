"""ai.onnx.ml, and the training operators."""

import numpy as np
from onnx import helper, numpy_helper

from version_judges import ByHand, Later

from .table import case as any_case
from .table import floats, ints, scalar, strings, typed, values

X = values(4, 3)
TRANSFORMS = ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]


def case(op, versions, *inputs, **options):
    any_case(op, versions, *inputs, domain="ai.onnx.ml", **options)


def tensor(array):
    return numpy_helper.from_array(array, "t")


case("ArrayFeatureExtractor", "*", values(2, 5), ints(0, 3, 3))
case("ArrayFeatureExtractor", "*", strings("a", "b", "c", "d").reshape(2, 2), ints(1), types=False)
case("Binarizer", "*", X)
case("Binarizer", "*", X, threshold=0.5)
case("CategoryMapper", "*", strings("a", "b", "c"), cats_int64s=[3, 5], cats_strings=["a", "b"], default_int64=9,
     types=False,
     judge=ByHand(lambda x, **_: ints(3, 5, 9)))
case("CategoryMapper", "*", ints(3, 7, 5), cats_int64s=[3, 5], cats_strings=["a", "b"], default_string="?", types=False,
     judge=ByHand(lambda x, **_: strings("a", "?", "b")))
case("CategoryMapper", "*", ints(7), cats_int64s=[3, 5], cats_strings=["a", "b"], types=False, judge=ByHand(lambda x,
     **_: strings("_Unused")))
MAPS = {"map(string, float)": ({"b": 2.5}, {"string_vocabulary": ["a", "b", "c"]}, floats(0, 2.5, 0)),
        "map(string, int64)": ({"b": 2}, {"string_vocabulary": ["a", "b", "c"]}, ints(0, 2, 0)),
        "map(int64, float)": ({2: 2.5, 1: 1.0}, {"int64_vocabulary": [1, 2, 3]}, floats(1, 2.5, 0)),
        "map(string, double)": ({"b": 2.5}, {"string_vocabulary": ["a", "b"]}, np.array([0, 2.5])),
        "map(int64, double)": ({2: 2.5}, {"int64_vocabulary": [1, 2]}, np.array([0, 2.5])),
        "map(int64, string)": ({2: "x"}, {"int64_vocabulary": [1, 2]}, strings("", "x"))}
for kind, (value, vocabulary, expected) in MAPS.items():
    case("DictVectorizer", "*", value, bind={"T1": kind}, types=False, judge=ByHand(lambda x, e=expected, **_: e[None]),
         **vocabulary)
CASTS = [("map(int64, float)", {5: 1.5, 2: -2.5}, {}, floats(-2.5, 1.5)),
         ("map(int64, float)", {5: 1.5, 2: -2.5}, {"cast_to": "TO_INT64"}, ints(-2, 1)),
         ("map(int64, float)", {5: 1.5, 2: -2.5}, {"map_form": "SPARSE", "max_map": 6}, floats(0, 0, -2.5, 0, 0, 1.5)),
         ("map(int64, string)", {1: "7", 3: "-2"}, {"cast_to": "TO_INT64"}, ints(7, -2)),
         ("map(int64, string)", {1: "7", 3: "-2"}, {"cast_to": "TO_STRING"}, strings("7", "-2"))]
for kind, value, attributes, expected in CASTS:
    case("CastMap", "*", value, bind={"T1": kind}, types=False, judge=ByHand(lambda x, e=expected, **_: e[None]),
         **attributes)
case("FeatureVectorizer", "*", values(2, 3), values(2, 2), inputdimensions=[3, 2])
case("FeatureVectorizer", "*", values(2, 3), values(2, 2), inputdimensions=[2, 2], judge=ByHand(
    lambda a, b, inputdimensions: np.concatenate([a[:, :2], b], 1)))
HOLES = np.array([[1, np.nan, -1], [np.nan, 5, -1]], np.float32)
case("Imputer", "*", HOLES, imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=float("nan"), types=False)
case("Imputer", "*", HOLES, imputed_value_floats=[7.0], replaced_value_float=-1.0, types=False)
case("Imputer", "*", typed("double", HOLES), imputed_value_floats=[7.0], replaced_value_float=float("nan"), types=False)
for name in ("int64", "int32"):
    case("Imputer", "*", typed(name, ints(1, -1, 3).reshape(1, 3)), imputed_value_int64s=[7], replaced_value_int64=-1,
         types=False)

TEXT, NUMBERS = strings("b", "x", "a"), ints(1, 9, 0)
case("LabelEncoder", "1", TEXT, classes_strings=["a", "b"], types=False, judge=ByHand(lambda x, **_: ints(1, -1, 0)))
case("LabelEncoder", "1", TEXT, classes_strings=["a", "b"], default_int64=7, types=False, judge=ByHand(lambda x,
     **_: ints(1, 7, 0)))
case("LabelEncoder", "1", NUMBERS, classes_strings=["a", "b"], default_string="?", types=False, judge=ByHand(lambda x,
     **_: strings("b", "?", "a")))
KEYS = {"strings": (TEXT, ["a", "b"]), "int64s": (NUMBERS, [0, 1]), "floats": (floats(1, 9, 0), [0.0, 1.0])}
TO = {"strings": (["p", "q"], "default_string", "?", strings("q", "?", "p")), "int64s": ([3, 4], "default_int64", 7,
    ints(4, 7, 3)),
      "floats": ([0.5, 1.5], "default_float", 2.5, floats(1.5, 2.5, 0.5))}
for before, (x, keys) in KEYS.items():
    for after, (found, missing, default, expected) in TO.items():
        case("LabelEncoder", "2-", x, types=False, judge=ByHand(lambda x, e=expected, **_: e),
             **{f"keys_{before}": keys, f"values_{after}": found, missing: default})
case("LabelEncoder", "2-", floats(np.nan, 2), keys_floats=[float("nan"), 1.0], values_int64s=[5, 6], types=False,
     judge=ByHand(lambda x, **_: ints(5, -1)))
for name, x in (("double", typed("double", floats(1, 9, 0))), ("int16", typed("int16", NUMBERS)),
                ("int32", typed("int32", NUMBERS)), ("string", TEXT)):
    keys = strings("a", "b") if name == "string" else typed(name, ints(0, 1))
    case("LabelEncoder", "4", x, keys_tensor=tensor(keys),
         values_tensor=tensor(typed("int16" if name == "int16" else "double", ints(3, 4))),
         default_tensor=tensor(typed("int16" if name == "int16" else "double", ints(7))), types=False,
         judge=ByHand(lambda x, kind=name, **_: typed("int16" if kind == "int16" else "double", ints(4, 7, 3))))

INT = ("int32", "int64")
WHOLE = "The input's integers are numbers like any other; the reference computes in integers and cuts what lies between them."
as_floats = Later(1, lambda inputs, a: ([inputs[0].astype(np.float32)], a))
WEIGHTS = [0.5, -1.0, 2.0, 1.0, 0.25, -0.5]
for transform in ["NONE", *TRANSFORMS[:3]]:
    case("LinearClassifier", "*", X, coefficients=WEIGHTS + [1.0, 1.0, 0.5], intercepts=[0.5, -0.5, 0.25],
         classlabels_ints=[3, 5, 8], outputs=2,
         post_transform=transform, types=transform == "NONE")
    case("LinearRegressor", "*", X, coefficients=WEIGHTS, intercepts=[0.5, -0.5], targets=2, post_transform=transform,
         types=transform == "NONE", skip=INT,
         judge=None if transform == "NONE" else ByHand(lambda x, coefficients, intercepts, targets,
                                                       post_transform: post(
             x @ np.array(coefficients).reshape(targets, -1).T + np.array(intercepts), post_transform)))
for name in INT:
    x = typed(name, np.round(X * 3))
    case("LinearRegressor", "*", x, coefficients=WEIGHTS, intercepts=[0.5, -0.5], targets=2, types=False,
         judge=as_floats, wrong=WHOLE)
    case("Scaler", "*", x, offset=[0.5, 1.0, -1.0], scale=[2.0, 0.5, 1.5], types=False, judge=as_floats)
    case("SVMRegressor", "*", x, coefficients=[0.5, -1.0, 2.0], rho=[0.25], types=False, judge=as_floats)
    case("SVMClassifier", "*", x, support_vectors=[0.5, 1, -1, 2, 0.25, 0, -0.5, 1, 1, 0, 0.5, 1, 1, 0, 0.25],
         coefficients=[0.5, -1.0, 0.25, 1.0, -0.5],
         vectors_per_class=[2, 3], rho=[0.1], classlabels_ints=[4, 6], kernel_params=[0.3, 0.5,
             2.0], outputs=2, types=False, judge=as_floats)
case("LinearClassifier", "*", X, coefficients=WEIGHTS, intercepts=[0.5, -0.5], classlabels_strings=["no", "yes"],
     multi_class=1, outputs=2, types=False)


def post(scores, transform):
    scores = scores.astype(np.float64)
    if transform == "LOGISTIC":
        return 1 / (1 + np.exp(-scores))
    if transform in ("SOFTMAX", "SOFTMAX_ZERO"):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        e = np.where(scores == 0, 0, e) if transform == "SOFTMAX_ZERO" else e
        return e / e.sum(-1, keepdims=True)
    return scores


for norm in ("MAX", "L1", "L2"):
    case("Normalizer", "*", X, norm=norm, types=norm == "MAX", judge=ByHand(
        lambda x, norm: (x / {"MAX": x.max, "L1": np.abs(x).sum, "L2": lambda a,
                              keepdims: np.sqrt((x.astype(np.float64)**2).sum(a, keepdims=True))}[norm](
            1, keepdims=True)).astype(np.float32)))
case("OneHotEncoder", "*", ints(1, 2, 1).reshape(3, 1), cats_int64s=[1, 2, 3], types=False)
for name in ("float", "double", "int32"):
    case("OneHotEncoder", "*", typed(name, ints(1, 2, 7)), cats_int64s=[1, 2, 3], types=False, judge=ByHand(
        lambda x, cats_int64s: (x[:, None] == np.array(cats_int64s)).astype(np.float32)))
case("OneHotEncoder", "*", strings("b", "a"), cats_strings=["a", "b", "c"], zeros=0, types=False)
case("Scaler", "*", X, offset=[0.5, 1.0, -1.0], scale=[2.0, 0.5, 1.5], skip=INT)
case("Scaler", "*", X, offset=[0.5], scale=[2.0])

# Support vectors.
SUPPORT = [float(v) for v in values(5, 3).ravel().round(2)]
for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
    case("SVMRegressor", "*", X, kernel_type=kernel, kernel_params=[0.3, 0.5, 2.0], support_vectors=SUPPORT,
         coefficients=[0.5, -1.0, 0.25, 1.0, -0.5],
         n_supports=5, rho=[0.75], types=kernel == "LINEAR", skip=INT)
    case("SVMClassifier", "*", X, kernel_type=kernel, kernel_params=[0.3, 0.5, 2.0], support_vectors=SUPPORT,
         coefficients=[0.5, -1.0, 0.25, 1.0, -0.5],
         vectors_per_class=[2, 3], rho=[0.1], classlabels_ints=[4,
             6], outputs=2, types=kernel == "LINEAR", skip=INT)
case("SVMRegressor", "*", X, coefficients=[0.5, -1.0, 2.0], rho=[0.25], one_class=1)
case("SVMRegressor", "*", X, coefficients=[0.5, -1.0, 2.0], rho=[0.25], post_transform="LOGISTIC",
     judge=Later(1, lambda inputs, a: (inputs, {k: v for k, v in a.items() if k != "post_transform"}),
                 after=lambda y: [post(y[0], "LOGISTIC")]))
case("SVMClassifier", "*", X, support_vectors=SUPPORT, coefficients=[0.5, -1.0, 0.25, 1.0, -0.5], vectors_per_class=[2,
     3], rho=[0.1],
     classlabels_ints=[4, 6], kernel_params=[0.3, 0.5, 2.0], post_transform="LOGISTIC", outputs=2)
case("SVMClassifier", "*", X, support_vectors=SUPPORT, coefficients=[0.5, -1.0, 0.25, 1.0, -0.5] * 2,
     vectors_per_class=[2, 1, 2], rho=[0.1, -0.2, 0.3],
     kernel_type="RBF", kernel_params=[0.3, 0.0, 0.0], classlabels_strings=["a", "b", "c"], outputs=2)
case("SVMClassifier", "*", X, support_vectors=SUPPORT, coefficients=[0.5, -1.0, 0.25, 1.0, -0.5], vectors_per_class=[2,
     3], rho=[0.1], prob_a=[-1.5],
     prob_b=[0.25], kernel_params=[0.0, 0.0, 0.0], classlabels_ints=[0, 1], outputs=2)

# Trees: two of them, the first one three levels deep.
TREES = {"nodes_treeids": [0, 0, 0, 0, 0, 1, 1, 1], "nodes_nodeids": [0, 1, 2, 3, 4, 0, 1, 2], "nodes_featureids": [0,
    1, 0, 0, 0, 2, 0, 0],
         "nodes_modes": ["BRANCH_LEQ", "BRANCH_GT", "LEAF", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"],
         "nodes_truenodeids": [1, 3, 0, 0, 0, 1, 0, 0], "nodes_falsenodeids": [2, 4, 0, 0, 0, 2, 0,
             0], "nodes_missing_value_tracks_true": [1, 0, 0, 0, 0, 1, 0, 0]}
SPLITS = [0.25, -0.5, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0]
LEAVES = [1.0, 2.0, -3.0, 0.5, 4.0]
AT = {"treeids": [0, 0, 0, 1, 1], "nodeids": [2, 3, 4, 1, 2]}
WITH_HOLES = np.concatenate([X, [[np.nan, 0, np.nan], [0, np.nan, 1]]]).astype(np.float32)


def leaf(tree, x):
    """The node where this row ends, walked by hand."""
    at = next(i for i, t in enumerate(TREES["nodes_treeids"]) if t == tree)
    base = at
    while TREES["nodes_modes"][at] != "LEAF":
        value, split, mode = x[TREES["nodes_featureids"][at]], np.float32(SPLITS[at]), TREES["nodes_modes"][at]
        true = {"BRANCH_LEQ": value <= split, "BRANCH_GT": value > split, "BRANCH_LT": value < split}[mode]
        true = bool(TREES["nodes_missing_value_tracks_true"][at]) if np.isnan(value) else bool(true)
        at = base + TREES["nodes_truenodeids" if true else "nodes_falsenodeids"][at]
    return TREES["nodes_nodeids"][at]


def weights_at(x, tree, ids, count):
    """The weights of that row's leaf, by target."""
    node = leaf(tree, x)
    return {i: w for t, n, i, w in zip(AT["treeids"], AT["nodeids"], ids, LEAVES) if (t, n) == (tree, node)}


IDS = [0, 1, 0, 1, 0]


def regress(x, aggregate_function="SUM", post_transform="NONE", base=(0.0, 0.0)):
    y = []
    for row in x:
        found = [weights_at(row, tree, IDS, 2) for tree in (0, 1)]
        each = [[weights[i] for weights in found if i in weights] for i in (0, 1)]
        merge = {"SUM": sum, "AVERAGE": lambda w: sum(w) / 2, "MIN": lambda w: min(w, default=0),
                 "MAX": lambda w: max(w, default=0)}
        y.append([merge[aggregate_function](weights) + b for weights, b in zip(each, base)])
    return post(np.array(y), post_transform).astype(np.float32)


def as_tensors(**lists):
    return {f"{name}_as_tensor": tensor(np.array(numbers, np.float64)) for name, numbers in lists.items()}


for span, x, numbers in (("*", WITH_HOLES, {"nodes_values": SPLITS, "target_weights": LEAVES,
                                            "nodes_hitrates": [1.0] * 8}),
                         ("3-", typed("double", WITH_HOLES), as_tensors(nodes_values=SPLITS, target_weights=LEAVES,
                             nodes_hitrates=[1.0] * 8))):
    trees = TREES | numbers | {"target_treeids": AT["treeids"], "target_nodeids": AT["nodeids"], "target_ids": IDS,
                               "n_targets": 2}
    for how in ("SUM", "AVERAGE", "MIN", "MAX"):
        case("TreeEnsembleRegressor", span, x, **trees, aggregate_function=how, types=how == "SUM" and span == "*",
             skip=("double", "int64", "int32"),
             judge=ByHand(lambda x, how=how, **_: regress(x, how)))
    base = {"base_values": [0.5, -1.0]} if span == "*" else as_tensors(base_values=[0.5, -1.0])
    case("TreeEnsembleRegressor", span, x, **trees, **base, judge=ByHand(lambda x, **_: regress(x, base=(0.5, -1.0))),
         types=False)
    case("TreeEnsembleRegressor", span, x, **trees, post_transform="LOGISTIC", judge=ByHand(lambda x,
         **_: regress(x, post_transform="LOGISTIC")), types=False)

    trees = TREES | {("class_weights" + k[len("target_weights"):] if k.startswith("target_weights") else k): v for k,
                     v in numbers.items()}
    trees |= {"class_treeids": AT["treeids"], "class_nodeids": AT["nodeids"], "class_ids": [0, 1, 2, 1, 0]}

    def classify(x, labels, base=(0, 0, 0), transform="NONE"):
        scores = []
        for row in x:
            found = [weights_at(row, tree, [0, 1, 2, 1, 0], 3) for tree in (0, 1)]
            scores.append([sum(weights.get(i, 0) for weights in found) + base[i] for i in range(3)])
        scores = np.array(scores)
        return labels[scores.argmax(1)], post(scores, transform).astype(np.float32)

    if span == "*":
        for name in INT:
            whole = typed(name, np.round(X * 3))
            case("TreeEnsembleClassifier", span, whole, **trees, classlabels_int64s=[3, 4, 5], outputs=2, types=False,
                 judge=ByHand(lambda x, **_: classify(x.astype(np.float32), ints(3, 4, 5))))
            case("TreeEnsembleRegressor", span, whole, **TREES, **numbers, target_treeids=AT["treeids"], n_targets=2,
                 target_nodeids=AT["nodeids"], target_ids=IDS, types=False, judge=ByHand(lambda x,
                     **_: regress(x.astype(np.float32))))
    names = strings("a", "b", "c")
    case("TreeEnsembleClassifier", span, x, **trees, classlabels_int64s=[3, 4, 5], outputs=2, types=False,
         judge=ByHand(lambda x, **_: classify(x, ints(3, 4, 5))))
    case("TreeEnsembleClassifier", span, x, **trees, classlabels_strings=["a", "b", "c"], outputs=2, types=False,
         judge=ByHand(lambda x, **_: classify(x, names)))
    base = {"base_values": [0.5, -1.0, 1.5]} if span == "*" else as_tensors(base_values=[0.5, -1.0, 1.5])
    case("TreeEnsembleClassifier", span, x, **trees, **base, classlabels_int64s=[3, 4, 5], outputs=2, types=False,
         post_transform="SOFTMAX",
         judge=ByHand(lambda x, **_: classify(x, ints(3, 4, 5), (0.5, -1.0, 1.5), "SOFTMAX")))
for name in ("float", "double", "float16"):
    kind = lambda numbers, name=name: tensor(typed(name, floats(*numbers)))
    ensemble = {"n_targets": 2, "tree_roots": [0, 2], "nodes_featureids": [0, 1, 2],
                "nodes_modes": tensor(np.array([0, 2, 1], np.uint8)),
                "nodes_splits": kind([0.25, -0.5, 0.1]), "nodes_truenodeids": [1, 0, 3], "nodes_trueleafs": [0, 1,
                    1], "nodes_falsenodeids": [2, 1, 4],
                "nodes_falseleafs": [1, 1, 1], "leaf_targetids": [0, 1, 0, 1, 0], "leaf_weights": kind([1, 2, -3, 0.5,
                    4])}
    x = typed(name, X)
    for number, transform in enumerate(("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"), 1):
        case("TreeEnsemble", "*", x, **ensemble, post_transform=number, types=False,
             judge=Later(5, lambda inputs, a: (inputs, a | {"post_transform": 0}), after=lambda y,
                         how=transform: [post(y[0], how)]),
             wrong="post_transform says what happens to the scores; the reference leaves them as they are." if number == 1 else "")
    for how in (2, 3):
        one = ensemble | {"n_targets": 1, "leaf_targetids": [0] * 5}
        case("TreeEnsemble", "*", x, **one, aggregate_function=how, types=False)
    for more in ({}, {"aggregate_function": 0}, {"nodes_missing_value_tracks_true": [1, 0, 1],
                                                 "nodes_hitrates": kind([1, 1, 1])}):
        case("TreeEnsemble", "*", x, **ensemble, **more, types=False)
    member = ensemble | {"tree_roots": [0], "nodes_featureids": [0], "nodes_modes": tensor(np.array([6], np.uint8)),
                         "nodes_splits": kind([0]),
                         "nodes_truenodeids": [0], "nodes_trueleafs": [1], "nodes_falsenodeids": [1], "nodes_falseleafs": [1], "n_targets": 1,
                         "leaf_targetids": [0, 0], "leaf_weights": kind([10, 20]), "membership_values": kind([1.5, 3,
                             np.nan])}
    case("TreeEnsemble", "*", typed(name, floats(1.5, 2, 3, 4).reshape(4, 1)), **member, types=False,
         judge=ByHand(lambda x, **_: np.where((x == 1.5) | (x == 3), 10, 20).astype(x.dtype)))

SCORES = values(2, 3)
for name, keys in (("classlabels_int64s", [4, 5, 6]), ("classlabels_strings", ["a", "b", "c"])):
    case("ZipMap", "*", SCORES, types=False,
         bind={"T": f"seq(map({'int64' if name.endswith('int64s') else 'string'},float))"},
         judge=ByHand(lambda x, keys=keys, **_: ([dict(zip(keys, map(float, row))) for row in x],)), **{name: keys})

# Training.
TRAINING = {"domain": "ai.onnx.preview.training", "types": False}
for name in ("float", "double"):
    t = lambda *shape: typed(name, values(*shape))
    rate, step = typed(name, scalar(0.1, np.float32)), scalar(3)
    square = typed(name, values(2, 3, low=0.1, high=1))
    one = [rate, step, t(2, 3), t(2, 3) * 2, square]
    any_case("Adagrad", "*", *one, outputs=2, norm_coefficient=0.01, epsilon=1e-3, decay_factor=0.2, **TRAINING)
    any_case("Momentum", "*", *one, outputs=2, alpha=0.9, beta=0.5, mode="standard", norm_coefficient=0.01, **TRAINING)
    any_case("Momentum", "*", *one, outputs=2, alpha=0.9, beta=0.5, mode="nesterov", norm_coefficient=0.01, **TRAINING)
    any_case("Adam", "*", *one[:4], t(2, 3), square, outputs=3, norm_coefficient=0.01, norm_coefficient_post=0.02,
             epsilon=1e-3, alpha=0.8, beta=0.7, slack={"double": (1e-7, 0.0)} if name == "double" else {},
             why="the reference takes 1 - norm_coefficient_post in float" if name == "double" else "", **TRAINING)


def gradient(row, version, infos, given):
    """d(x0 · x1 + x0)/dx0 and /dx1."""
    nodes = [helper.make_node("Mul", ["x0", "x1"], ["p"]), helper.make_node("Add", ["p", "x0"], ["y"]),
              helper.make_node("Gradient", ["x0", "x1"], ["d0", "d1"], domain=row.domain, xs=["x0", "x1"], y="y")]
    outputs = [helper.make_tensor_value_info(name, 1, [2, 3]) for name in ("d0", "d1")]
    return helper.make_graph(nodes, "gradient", infos, outputs), [given[1] + 1, given[0]], "numpy"


def partial_gradient(row, version, infos, given):
    """d(x0 · x1)/dx0, with x1 held at its value: an input that is named but not derived by."""
    nodes = [helper.make_node("Mul", ["x0", "x1"], ["y"]),
             helper.make_node("Gradient", ["x0", "x1"], ["d0"], domain=row.domain, xs=["x0"], zs=["x1"], y="y")]
    return helper.make_graph(nodes, "gradient", infos, [helper.make_tensor_value_info("d0", 1,
        [2, 3])]), [given[1]], "numpy"


any_case("Gradient", "*", values(2, 3), values(2, 3) * 2, xs=["x0"], zs=["x1"], y="y", graph=partial_gradient,
         domain="ai.onnx.preview.training", types=False)
any_case("Gradient", "*", values(2, 3), values(2, 3) * 2, xs=["x0", "x1"], y="y", graph=gradient,
         domain="ai.onnx.preview.training", types=False)
