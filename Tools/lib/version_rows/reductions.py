"""Reductions along axes, running sums and products, softmax and its kin, orders."""

import numpy as np

from version_judges import ByHand, Later

from .table import case, floats, ints, scalar, typed, values

X = values(2, 3, 4)
POSITIVE = values(2, 3, 4, low=0.4, high=3)
LAST_OLD = {"ReduceSum": 12}


# In double precision, as the reference refuses integers; what is between two integers is cut towards zero.
log_sum = ByHand(lambda x: np.log(x.astype(np.float64).sum(keepdims=True)).astype(x.dtype))
log_sum_exp = ByHand(lambda x: np.log(np.exp(x.astype(np.float64)).sum(keepdims=True)).astype(x.dtype))
case("ReduceLogSum", "*", POSITIVE, judge=log_sum)
case("ReduceLogSumExp", "*", X, judge=log_sum_exp)
for op in ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
           "ReduceProd",
           "ReduceSum", "ReduceSumSquare"]:
    x = POSITIVE if op == "ReduceLogSum" else X
    last = LAST_OLD.get(op, 17)
    case(op, f"1-{last}", x)
    case(op, f"1-{last}", x, axes=[1])
    case(op, f"1-{last}", x, axes=[0, 2], keepdims=0)
    case(op, f"1-{last}", x, keepdims=0)
    case(op, f"11-{last}", x, axes=[-1, 0])
    case(op, f"{last + 1}-", x)
    case(op, f"{last + 1}-", x, ints(1))
    case(op, f"{last + 1}-", x, ints(-1, 0), keepdims=0)
    case(op, f"{last + 1}-", x, noop_with_empty_axes=1)
    case(op, f"{last + 1}-", x, ints(), noop_with_empty_axes=1)
    case(op, f"{last + 1}-", x[:, :0], ints(1))
for op in ["ReduceMax", "ReduceMin"]:
    case(op, "20-", np.array([[True, False], [False, False]]), ints(1))

TIES = np.array([[3, 1, 3], [2, 2, 0]], np.float32)
for op in ["ArgMax", "ArgMin"]:
    case(op, "*", X)
    case(op, "*", X, axis=2, keepdims=0)
    case(op, "11-", X, axis=-2)
    case(op, "*", TIES, axis=1)
    case(op, "12-", TIES, axis=1, select_last_index=1)

for op in ["CumSum", "CumProd"]:
    x = values(2, 3, low=0.5, high=1.5)
    case(op, "*", x, scalar(1))
    case(op, "*", x, scalar(-2), exclusive=1)
    case(op, "*", x, scalar(1, np.int32), reverse=1)
    case(op, "*", x, scalar(1), reverse=1, exclusive=1)


def rows(function):
    """Through version 12 the axes from `axis` on are one: softmax of a matrix."""
    def judge(x, axis=1):
        axis = axis % x.ndim
        return function(x.reshape(int(np.prod(x.shape[:axis])), -1)).reshape(x.shape)
    return ByHand(judge)


def softmax(x):
    y = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    return (y / y.sum(axis=1, keepdims=True)).astype(x.dtype)


def log_softmax(x):
    y = x.astype(np.float64) - x.max(axis=1, keepdims=True)
    return (y - np.log(np.exp(y).sum(axis=1, keepdims=True))).astype(x.dtype)


def hardmax(x):
    return (np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]).astype(x.dtype)


for op, function in {"Softmax": softmax, "LogSoftmax": log_softmax, "Hardmax": hardmax}.items():
    case(op, "1-12", X, judge=rows(function))
    case(op, "1-12", X, axis=2, judge=rows(function))
    case(op, "1-12", X, axis=0, judge=rows(function))
    case(op, "11-12", X, axis=-1, judge=rows(function))
    case(op, "13-", X)
    case(op, "13-", X, axis=1)

case("LpNormalization", "*", X)
case("LpNormalization", "*", X, axis=1, p=1, judge=ByHand(lambda x, axis, p: x / np.abs(x).sum(axis, keepdims=True)),
     wrong="The L1 norm is the sum of absolute values; the reference divides by the sum of the values as they are.")
det = ByHand(lambda x: np.linalg.det(x.astype(np.float64)).astype(x.dtype))
case("Det", "*", values(2, 3, 3), judge=det)
case("Det", "*", values(4, 4))

case("TopK", "1-9", X, axis=1, k=2, outputs=2)
case("TopK", "1-9", X, k=3, outputs=2)
case("TopK", "10-", X, ints(3), outputs=2)
case("TopK", "10-", X, ints(2), axis=1, outputs=2)
case("TopK", "11-", X, ints(2), axis=0, largest=0, outputs=2)
# Without `sorted` the standard leaves the order open, so equal values alone can be compared.
case("TopK", "11-", floats(1, 1, 1), ints(2), sorted=0, judge=ByHand(lambda x, k, sorted: floats(1, 1)))
case("TopK", "11-", TIES, ints(2), outputs=2)

for equation, inputs in [("ij,jk->ik", (values(2, 3), values(3, 4))),
                         ("bij,bkj->bik", (values(2, 3, 4), values(2, 5, 4))),
                         ("ii->i", (values(3, 3),)), ("i,j", (values(3), values(2))), ("...ij->...ji",
                             (values(2, 3, 4),)),
                         ("ij->", (values(2, 3),))]:
    case("Einsum", "*", *inputs, equation=equation)
