import CKernels
import SardonyxGraph

/// y = erf x = 2/√π · ∫₀ˣ e^(-t²) dt.
///
/// Before opset 13 integers are allowed; they truncate toward zero.
/// <https://onnx.ai/onnx/operators/onnx__Erf.html>
enum Erf: RealFunction {
    static let schema = Schema.unary("Erf", versions: [9, 13], types: .numbers, input: "input", output: "output")
    static var kernel: sdx_unary_op? { SDX_UNARY_ERF }

    @inline(__always) static func apply<W: RealMath>(_ x: W) -> W { W.erf(x) }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        if type.isInteger, context.node.opset >= 13 {
            throw SardonyxError(.invalidModel, "the input is \(type.name); since opset 13 it must be floating point")
        }
        try context.passThrough()
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        guard spec.dataType.isInteger else { return try prepareReal(context) }
        var kernel = try spec.dataType.visitInteger(Visitor(count: spec.elementCount))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Visitor: IntegerVisitor {
        let count: Int

        func visit<T: Number & FixedWidthInteger>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                Work<T>(x: frame.input(0), y: frame.output(0)).run(count: count, on: frame.pool)
            }
        }
    }

    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>

        func run(_ range: Range<Int>) {
            for i in range { y[i] = T.casting(Double.erf(x[i].double)) }
        }
    }

    static let derivative: Derivative? = .unary { x, _, dy in
        try dy * (-x.squared()).exp() * (2 / Double.pi.squareRoot())
    }

    static let examples = [
        Example(
            "the error function", inputs: [Tensor(shape: [4], scalars: [-1, 0, 0.5, 3] as [Float])],
            outputs: [Tensor(shape: [4], scalars: [-0.8427008, 0, 0.5204999, 0.9999779] as [Float])], tolerance: 1e-6)
    ]
}
