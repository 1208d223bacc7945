import SardonyxGraph

/// Y[n, :] = the inputs' rows one after the other, each cut or filled with zeros to its `inputdimensions`.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html>
enum FeatureVectorizer: Operator {
    static let schema = Schema(
        "FeatureVectorizer", domain: "ai.onnx.ml", versions: [1],
        inputs: [Parameter("X", "T1", .features, .variadic)], outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: [AttributeSpec("inputdimensions", .ints)])

    /// The features that each input gives, as far as they are known.
    private static func widths(_ node: Node, _ shapes: [SymbolicShape?]) throws -> [Dimension] {
        guard let widths = node.ints("inputdimensions") else {
            return shapes.map { $0.map { $0.count < 2 ? .fixed(1) : $0[1] } ?? .unknown }
        }
        guard widths.count == shapes.count, widths.allSatisfy({ $0 >= 0 }) else {
            throw SardonyxError(.invalidModel, "inputdimensions is \(widths); it must name the width of each input")
        }
        return widths.map { .fixed($0) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let shapes = context.inputs.indices.map { context.shape($0) }
        var rows = Dimension.unknown
        for (index, shape) in shapes.enumerated() {
            try context.requireRank(index, 1...2, "input \(index)")
            if let shape { rows = try rows.agreeing(with: shape[0], "the inputs' numbers of rows differ") }
        }
        context.set(0, .float, [rows, try widths(context.node, shapes).reduce(.fixed(0), +)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0).shape
        let widths = try widths(context.node, context.inputs.map { $0.map { SymbolicShape($0.shape) } })
        var start = 0
        var copies: [@Sendable (Frame) -> Void] = []
        for index in context.inputs.indices {
            let spec = try context.input(index)
            let width = widths[index].value ?? 0
            copies.append(
                try spec.dataType.visitNumber(
                    Copy(
                        input: index, rows: output[0], columns: spec.shape.count < 2 ? 1 : spec.shape[1], width: width,
                        start: start, stride: output[1])))
            start += width
        }
        let all = copies
        return Kernel { frame in
            for copy in all { copy(frame) }
        }
    }

    private struct Copy: NumberVisitor {
        let input: Int
        let rows: Int
        let columns: Int
        let width: Int
        let start: Int
        let stride: Int

        func visit<T: Number>(_ type: T.Type) throws -> @Sendable (Frame) -> Void {
            let copy = self
            return { frame in
                let x = frame.input(copy.input, as: T.self)
                let y = frame.output(0, as: Float.self)
                for row in 0..<copy.rows {
                    for f in 0..<copy.width {
                        y[row * copy.stride + copy.start + f] =
                            f < copy.columns ? Float.casting(x[row * copy.columns + f]) : 0
                    }
                }
            }
        }
    }

    static let examples = [
        Example(
            "one cut, one filled", attributes: ["inputdimensions": .ints([1, 3])],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 2], scalars: [5, 6, 7, 8] as [Float]),
            ], outputs: [Tensor(shape: [2, 4], scalars: [1, 5, 6, 0, 3, 7, 8, 0] as [Float])])
    ]
}
