import CKernels
import SardonyxGraph

/// y = the sum of the n inputs / n, element by element, with numpy's broadcasting.
///
/// <https://onnx.ai/onnx/operators/onnx__Mean.html>
enum Mean: VariadicElementwise {
    static let schema = Schema.variadic("Mean", versions: [1, 6, 8, 13], types: .floats, output: "mean")
    static var kernel: sdx_binary_op { SDX_BINARY_ADD }
    static let averages = true

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.adding(a, b) }

    static let derivative: Derivative? = Derivative { d in
        let count = Double(d.node.inputs.count)
        for input in d.node.inputs.indices { try d.setSummed(input) { try d.dy() / count } }
    }

    static let examples = [
        Example(
            "three inputs",
            inputs: [
                Tensor(shape: [2], scalars: [3, 0] as [Float]), Tensor(shape: [2], scalars: [1, 3] as [Float]),
                Tensor(2 as Float),
            ],
            outputs: [Tensor(shape: [2], scalars: [2, 5 / 3] as [Float])], tolerance: 1e-6)
    ]
}
