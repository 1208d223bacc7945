import CKernels
import SardonyxGraph

/// y = max(0, x), element by element; a NaN stays.
///
/// <https://onnx.ai/onnx/operators/onnx__Relu.html>
enum Relu: Operator {
    static let schema = Schema(
        "Relu", versions: [1, 6, 13, 14],
        inputs: [Parameter("X", "T", .floats + .signedIntegers)],
        outputs: [Parameter("Y", "T", .floats + .signedIntegers)])

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        var kernel = try spec.dataType.visitNumber(Rectification(count: spec.elementCount))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Rectification: NumberVisitor {
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                for i in 0..<count { y[i] = x[i] < T.zero ? T.zero : x[i] }
            }
        }
    }

    static let examples = [
        Example(
            "negative elements become zero", inputs: [Tensor(shape: [3], scalars: [-1, 0, 2] as [Float])],
            outputs: [Tensor(shape: [3], scalars: [0, 0, 2] as [Float])])
    ]
}
