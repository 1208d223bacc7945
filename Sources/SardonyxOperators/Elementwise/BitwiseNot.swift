import SardonyxGraph

/// y = x with every bit turned.
///
/// <https://onnx.ai/onnx/operators/onnx__BitwiseNot.html>
enum BitwiseNot: Operator {
    static let schema = Schema.unary("BitwiseNot", versions: [18], types: .integers)

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let byteCount = try context.input(0).byteCount
        var kernel = Kernel { frame in
            Work(x: frame.input(0), y: frame.output(0)).run(count: byteCount, on: frame.pool)
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    /// Bytes: the width of an element makes no difference.
    private struct Work: ChunkedWork {
        let x: UnsafePointer<UInt8>
        let y: UnsafeMutablePointer<UInt8>

        func run(_ range: Range<Int>) {
            for i in range { y[i] = ~x[i] }
        }
    }

    static let examples = [
        Example(
            "signed and unsigned are alike", inputs: [Tensor(shape: [3], scalars: [0, 5, -1] as [Int16])],
            outputs: [Tensor(shape: [3], scalars: [-1, -6, 0] as [Int16])])
    ]
}
