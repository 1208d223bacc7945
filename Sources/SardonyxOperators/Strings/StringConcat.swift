import SardonyxGraph

/// z[i] = x[i] followed by y[i], broadcast as numpy does.
///
/// <https://onnx.ai/onnx/operators/onnx__StringConcat.html>
enum StringConcat: Operator {
    static let schema = Schema(
        "StringConcat", versions: [20],
        inputs: [Parameter("X", "T", [.string]), Parameter("Y", "T", [.string])],
        outputs: [Parameter("Z", "T", [.string])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll(as: .string) }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let y = try context.tensor(1)
        let shape = try broadcast(SymbolicShape(x.shape), SymbolicShape(y.shape)).compactMap(\.value)
        let strides = shape.rowMajorStrides
        let (from, with) = (x.shape.broadcastStrides(to: shape), y.shape.broadcastStrides(to: shape))
        // Refuses a size that the memory budget does not allow, before anything is made.
        var result = try context.environment.allocate(.string, shape).strings
        for i in result.indices {
            var (a, b) = (0, 0)
            for axis in shape.indices {
                let place = i / strides[axis] % shape[axis]
                a += place * from[axis]
                b += place * with[axis]
            }
            result[i] = x.strings[a] + y.strings[b]
        }
        return [.tensor(Tensor(shape: shape, strings: result))]
    }

    static let examples = [
        Example(
            "a suffix for all",
            inputs: [Tensor(shape: [2], strings: ["abc", "d"]), Tensor(shape: [1], strings: [".x"])],
            outputs: [Tensor(shape: [2], strings: ["abc.x", "d.x"])])
    ]
}
