import CKernels
import SardonyxGraph

/// y = the sum of the inputs, element by element, with numpy's broadcasting.
///
/// <https://onnx.ai/onnx/operators/onnx__Sum.html>
enum Sum: VariadicElementwise {
    static let schema = Schema.variadic("Sum", versions: [1, 6, 8, 13], types: .floats, output: "sum")
    static var kernel: sdx_binary_op { SDX_BINARY_ADD }

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.adding(a, b) }

    static let derivative: Derivative? = Derivative { d in
        for input in d.node.inputs.indices { try d.setSummed(input) { try d.dy() } }
    }

    static let examples = [
        Example(
            "three inputs",
            inputs: [
                Tensor(shape: [2], scalars: [3, 0] as [Float]), Tensor(shape: [2], scalars: [1, 3] as [Float]),
                Tensor(2 as Float),
            ],
            outputs: [Tensor(shape: [2], scalars: [6, 5] as [Float])])
    ]
}
