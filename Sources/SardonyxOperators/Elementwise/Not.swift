import SardonyxGraph

/// y = not x.
///
/// <https://onnx.ai/onnx/operators/onnx__Not.html>
enum Not: Operator {
    static let schema = Schema.unary("Not", versions: [1], types: [.bool])

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let count = try context.input(0).elementCount
        var kernel = Kernel { frame in
            Work(x: frame.input(0), y: frame.output(0)).run(count: count, on: frame.pool)
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Work: ChunkedWork {
        let x: UnsafePointer<UInt8>
        let y: UnsafeMutablePointer<UInt8>

        func run(_ range: Range<Int>) {
            for i in range { y[i] = x[i] == 0 ? 1 : 0 }
        }
    }

    static let examples = [
        Example(
            "both", inputs: [Tensor(shape: [2], scalars: [true, false])],
            outputs: [Tensor(shape: [2], scalars: [false, true])])
    ]
}
