import SardonyxGraph

/// Z[…, k] = X[…, Y[k]], with all of Y in one row; a vector X makes a matrix of one row.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html>
enum ArrayFeatureExtractor: Operator {
    static let execution = Execution.movesElements

    static let schema = Schema(
        "ArrayFeatureExtractor", domain: "ai.onnx.ml", versions: [1],
        inputs: [Parameter("X", "T", .features + [.string]), Parameter("Y", "tensor(int64)", [.int64])],
        outputs: [Parameter("Z", "T", .features + [.string])])

    static func infer(_ context: inout InferenceContext) throws {
        let count = context.shape(1).map { $0.reduce(.fixed(1), *) } ?? .unknown
        if let x = context.shape(0), x.isEmpty { throw SardonyxError(.invalidModel, "X must have an axis") }
        context.set(
            0, try context.dataType(0),
            context.shape(0).map { $0.count == 1 ? [.fixed(1), count] : $0.dropLast() + [count] })
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.input(0).dataType.visitElement(Loops(context: context))
    }

    private struct Loops: ElementVisitor {
        let context: PreparationContext

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let shape = try context.input(0).shape
            let columns = shape[shape.count - 1]
            let rows = shape.dropLast().reduce(1, *)
            let count = try context.input(1).elementCount
            return Kernel { frame in
                let indices = frame.input(1, as: Int64.self)
                for k in 0..<count where indices[k] < 0 || indices[k] >= columns {
                    throw SardonyxError(
                        .invalidValue, "Y[\(k)] is \(indices[k]), which is outside [0, \(columns - 1)]")
                }
                let x = frame.input(0, as: T.self)
                let z = frame.output(0, as: T.self)
                for row in 0..<rows {
                    for k in 0..<count { z[row * count + k] = x[row * columns + Int(indices[k])] }
                }
            }
        }
    }

    static let examples = [
        Example(
            "two columns",
            inputs: [
                Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
                Tensor(shape: [2], scalars: [2, 0] as [Int64]),
            ], outputs: [Tensor(shape: [2, 2], scalars: [3, 1, 6, 4] as [Float])]),
        Example(
            "strings of a vector",
            inputs: [Tensor(shape: [2], strings: ["a", "b"]), Tensor(shape: [1], scalars: [1] as [Int64])],
            outputs: [Tensor(shape: [1, 1], strings: ["b"])]),
    ]
}
