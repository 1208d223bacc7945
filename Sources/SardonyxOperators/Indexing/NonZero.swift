import SardonyxGraph

/// y[k, n] = the coordinate along axis k of the n-th element of x that is not zero, in row-major order.
///
/// A scalar has no coordinates: y is [0, 0] or [0, 1].
///
/// <https://onnx.ai/onnx/operators/onnx__NonZero.html>
enum NonZero: Operator {
    static let schema = Schema(
        "NonZero", versions: [9, 13],
        inputs: [Parameter("X", "T", .movable)],
        outputs: [Parameter("Y", "tensor(int64)", [.int64])])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        _ = try context.dataType(0)
        context.set(0, .int64, [context.rank(0).map { .fixed($0) } ?? .unknown, .unknown])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let places =
            switch x.dataType {
            case .string: x.strings.indices.filter { !x.strings[$0].isEmpty }
            case .bool: x.withUnsafeBytes { bytes in bytes.indices.filter { bytes[$0] != 0 } }
            case .complex64: try complex(x, as: .float)
            case .complex128: try complex(x, as: .double)
            default: try x.dataType.visitNumber(Search(tensor: x))
            }
        var y = try context.environment.allocate(.int64, [x.shape.count, places.count])
        try y.withUnsafeMutableBytes { bytes in
            let y = bytes.bindMemory(to: Int64.self)
            for (axis, stride) in x.shape.rowMajorStrides.enumerated() {
                let extent = x.shape[axis]
                for (n, place) in places.enumerated() { y[axis * places.count + n] = Int64(place / stride % extent) }
            }
        }
        return [.tensor(y)]
    }

    /// A complex number is zero when both of its parts are.
    private static func complex(_ x: Tensor, as part: DataType) throws -> [Int] {
        let parts = Tensor(dataType: part, shape: [2 * x.count], storage: x.storage)
        var places: [Int] = []
        for place in try part.visitNumber(Search(tensor: parts)).map({ $0 / 2 }) where places.last != place {
            places.append(place)
        }
        return places
    }

    private struct Search: NumberVisitor {
        let tensor: Tensor

        func visit<T: Number>(_ type: T.Type) throws -> [Int] {
            try tensor.withUnsafeBytes(of: type) { x in x.indices.filter { x[$0] != T.zero } }
        }
    }

    static let examples = [
        Example(
            "a matrix", inputs: [Tensor(shape: [2, 2], scalars: [1, 0, 3, -1] as [Float])],
            outputs: [Tensor(shape: [2, 3], scalars: [0, 1, 1, 0, 0, 1] as [Int64])])
    ]
}
