import CKernels
import SardonyxGraph

/// y = ln Σ eˣ along the axes, without overflow; -∞ for no elements.
///
/// <https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html>
enum ReduceLogSumExp: LogarithmicReduction {
    static let schema = reductionSchema(
        "ReduceLogSumExp", versions: [1, 11, 13, 18, 28], types: ReductionTypes.arithmetic)

    static func pass(_ index: Int, of count: Int) -> sdx_reduce_op { SDX_REDUCE_LOG_SUM_EXP }

    /// `sum` is Σ e^(x - most) of the elements so far, the largest of which is `most`.
    struct Exponentials {
        var most: Double
        var sum: Double
    }

    static var start: Exponentials { Exponentials(most: -.infinity, sum: 0) }

    @inline(__always) static func add(_ x: Double, to so: inout Exponentials) {
        if x == -.infinity { return }
        if x == so.most {
            // Also where both are infinite, and the difference is no number.
            so.sum += 1
        } else if x < so.most {
            so.sum += Double.exp(x - so.most)
        } else {
            so.sum = so.sum * Double.exp(so.most - x) + 1
            so.most = x
        }
    }

    @inline(__always) static func result(_ so: Exponentials, count: Int) -> Double { so.most + Double.log(so.sum) }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) { try d.keepingAxes(d.dy()) * (d.x() - d.keepingAxes(d.y())).exp() }
    }

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 1000, 1000] as [Float]), Tensor(integers: [1])],
            outputs: [Tensor(shape: [2, 1], scalars: [2.3132617, 1000.6931] as [Float])], tolerance: 1e-6)
    ]
}
