"""RNN, GRU and LSTM: the reference knows neither all directions nor `clip`, so numpy follows the standard's equations."""

import numpy as np

from version_judges import ByHand

from .table import case, ints, typed, values

STEPS, BATCH, INPUT, HIDDEN = 3, 2, 4, 5
X = values(STEPS, BATCH, INPUT)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {
    "sigmoid": lambda x, a, b: sigmoid(x), "tanh": lambda x, a, b: np.tanh(x), "relu": lambda x, a, b: np.maximum(x, 0),
    "leakyrelu": lambda x, a, b: np.where(x < 0, (0.01 if a is None else a) * x, x),
    "hardsigmoid": lambda x, a, b: np.clip((0.2 if a is None else a) * x + (0.5 if b is None else b), 0, 1),
    "softsign": lambda x, a, b: x / (1 + np.abs(x)), "affine": lambda x, a, b: (1 if a is None else a) * x + (0 if b is None else b),
    "elu": lambda x, a, b: np.where(x < 0, (1 if a is None else a) * np.expm1(x), x),
}
HAVE_ALPHA, HAVE_BETA = ("leakyrelu", "hardsigmoid", "affine", "elu"), ("hardsigmoid", "affine")


def functions(names, alphas, betas):
    """The activations in order; alphas and betas go to those that have them."""
    alphas, betas = iter(alphas or []), iter(betas or [])
    made = []
    for name in (name.lower() for name in names):
        a = next(alphas, None) if name in HAVE_ALPHA else None
        b = next(betas, None) if name in HAVE_BETA else None
        made.append(lambda x, f=FUNCTIONS[name], a=a, b=b: f(x, a, b))
    return made


def rnn(x, w, r, b, h, c, p, f, clip, options):
    return f[0](clip(x @ w.T + h @ r.T + b.reshape(2, -1).sum(0))), None


def gru(x, w, r, b, h, c, p, f, clip, options):
    n = h.shape[1]
    wx, rh = x @ w.T + b[:3 * n], h @ r[:2 * n].T + b[3 * n:5 * n]
    z, reset = f[0](clip(wx[:, :n] + rh[:, :n])), f[0](clip(wx[:, n:2 * n] + rh[:, n:]))
    if options["linear_before_reset"]:
        own = reset * (h @ r[2 * n:].T + b[5 * n:])
    else:
        own = (reset * h) @ r[2 * n:].T + b[5 * n:]
    return (1 - z) * f[1](clip(wx[:, 2 * n:] + own)) + z * h, None


def lstm(x, w, r, b, h, c, p, f, clip, options):
    n = h.shape[1]
    i, o, forget, cell = np.split(x @ w.T + h @ r.T + b[:4 * n] + b[4 * n:], 4, 1)
    pi, po, pf = np.split(p, 3)
    i = f[0](clip(i + pi * c))
    forget = 1 - i if options["input_forget"] else f[0](clip(forget + pf * c))
    c = forget * c + i * f[1](clip(cell))
    return f[0](clip(o + po * c)) * f[2](c), c


KINDS = {"RNN": (1, rnn, ["Tanh"]), "GRU": (3, gru, ["Sigmoid", "Tanh"]), "LSTM": (4, lstm, ["Sigmoid", "Tanh",
    "Tanh"])}


def judge(op):
    gates, step, usual = KINDS[op]

    def run(x, w, r, b=None, lengths=None, h0=None, c0=None, p=None, direction="forward", hidden_size=None,
            activations=None,
            activation_alpha=None, activation_beta=None, clip=None, layout=0, output_sequence=1, **options):
        kind, options = x.dtype, {"linear_before_reset": 0, "input_forget": 0} | options
        if layout:
            x, h0, c0 = (v if v is None else v.swapaxes(0, 1) for v in (x, h0, c0))
        x, w, r = (v.astype(np.float64) for v in (x, w, r))
        steps, batch, directions, n = x.shape[0], x.shape[1], w.shape[0], r.shape[2]
        b = np.zeros((directions, 2 * gates * n)) if b is None else b.astype(np.float64)
        p = np.zeros((directions, 3 * n)) if p is None else p.astype(np.float64)
        h0, c0 = (np.zeros((directions, batch, n)) if v is None else v.astype(np.float64) for v in (h0, c0))
        lengths = np.full(batch, steps) if lengths is None else lengths
        f = functions(activations or usual * directions, activation_alpha, activation_beta)
        cut = (lambda v: v) if clip is None else (lambda v: np.clip(v, -clip, clip))
        y, last, cells = np.zeros((steps, directions, batch, n)), h0.copy(), c0.copy()
        for d in range(directions):
            backwards = direction == "reverse" or d == 1
            own = f[d * len(usual):(d + 1) * len(usual)]
            for row in range(batch):
                h, c = h0[d, row:row + 1], c0[d, row:row + 1]
                order = range(int(lengths[row]))
                for t in reversed(order) if backwards else order:
                    h, c = step(x[t, row:row + 1], w[d], r[d], b[d], h, c, p[d], own, cut, options)
                    y[t, d, row] = h
                last[d, row] = h
                cells[d, row] = 0 if c is None else c
        if layout:
            y, last, cells = y.transpose(2, 0, 1, 3), last.swapaxes(0, 1), cells.swapaxes(0, 1)
        return tuple(v.astype(kind) for v in (y, last, cells)[:3 if op == "LSTM" else 2])
    return ByHand(run)


for op, (gates, _, usual) in KINDS.items():
    span, outputs = ("3-" if op == "GRU" else "*"), 3 if op == "LSTM" else 2
    weights = lambda d, gates=gates: (values(d, gates * HIDDEN, INPUT), values(d, gates * HIDDEN, HIDDEN))
    bias = lambda d, gates=gates: values(d, 2 * gates * HIDDEN)
    starts = lambda d, outputs=outputs: (values(d, BATCH, HIDDEN),) * (outputs - 1)
    lengths = typed("int32", ints(3, 1))
    options = {"judge": judge(op), "outputs": outputs, "hidden_size": HIDDEN}
    old = {"output_sequence": 1}
    for span, more in (("1-6", old), ("7-", {})):
        if op == "GRU" and more:
            case(op, "1", X, *weights(1), bias(1), direction="forward", **options, **more)
            case(op, "1", X, *weights(2), bias(2), lengths, starts(2)[0], direction="bidirectional", clip=0.5,
                 activations=["HardSigmoid", "Relu", "Sigmoid", "LeakyRelu"],
                 activation_alpha=[0.3, 0.2], activation_beta=[0.4], **options, **more)
            span = "3-6"
        case(op, span, X, *weights(1), **options, **more)
        case(op, span, X, *weights(1), bias(1), lengths, *starts(1), direction="reverse", **options, **more)
        case(op, span, X, *weights(2), bias(2), None, *starts(2), direction="bidirectional", clip=0.5, **options,
             **more)
        soft = ["HardSigmoid", "LeakyRelu", "Affine"][:len(usual)] if op != "RNN" else ["HardSigmoid"]
        alphas, betas = [0.3, 0.2, 1.5][:len(soft)], [0.4, 0.1][:2 if op == "LSTM" else 1]
        case(op, span, X, *weights(1), bias(1), activations=soft, activation_alpha=alphas, activation_beta=betas,
             **options, **more)
        case(op, span, X, *weights(2), direction="bidirectional", activations=["Softsign", "Elu",
             "Relu"][:len(usual)] * 2, **options, **more)
        if op == "GRU":
            case(op, span, X, *weights(2), bias(2), direction="bidirectional", linear_before_reset=1, **options, **more)
        if op == "LSTM":
            case(op, span, X, *weights(1), bias(1), lengths, *starts(1), values(1, 3 * HIDDEN), input_forget=1,
                 **options, **more)
            case(op, span, X, *weights(1), bias(1), None, None, None, values(1, 3 * HIDDEN), **options, **more)
    case(op, "14-", X.swapaxes(0, 1).copy(), *weights(2), bias(2), lengths,
         *(s.swapaxes(0, 1).copy() for s in starts(2)), layout=1,
         direction="bidirectional", **options)
