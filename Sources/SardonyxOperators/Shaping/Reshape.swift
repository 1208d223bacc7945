import SardonyxGraph

/// y has x's elements in the same order under another shape. In `shape`, 0 copies x's extent (unless `allowzero`) and one
/// -1 takes what is left.
///
/// <https://onnx.ai/onnx/operators/onnx__Reshape.html>
enum Reshape: Operator {
    static let schema = Schema(
        "Reshape", versions: [1, 5, 13, 14, 19, 21, 23, 24, 25],
        inputs: [Parameter("data", "T", .all), Parameter("shape", "tensor(int64)", [.int64])],
        outputs: [Parameter("reshaped", "T", .all)],
        attributes: [AttributeSpec("allowzero", .int)])

    static let execution = Execution.movesElements

    /// Through opset 4 the shape is an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.removeConsumedInputs(opset: opset)
        if opset < 5, let shape = node.ints("shape") {
            node.attributes["shape"] = nil
            node.inputs.append(lifting.add(shape, "\(node.displayName).shape"))
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let wanted = context.elements(1) else {
            let rank = context.shape(1)?.first?.value
            context.set(0, type, rank.flatMap { $0 <= 64 ? SymbolicShape(repeating: .unknown, count: $0) : nil })
            return
        }
        let source = context.shape(0)
        let allowZero = context.node.flag("allowzero")
        var result: SymbolicShape = []
        var inferred: Int?
        for (axis, extent) in wanted.enumerated() {
            switch extent {
            case .fixed(-1):
                if inferred != nil { throw SardonyxError(.invalidModel, "shape \(wanted.text) has more than one -1") }
                inferred = axis
                result.append(.unknown)
            case .fixed(0) where !allowZero:
                guard let source else {
                    result.append(.unknown)
                    continue
                }
                guard axis < source.count else {
                    throw SardonyxError(
                        .invalidModel, "shape \(wanted.text) copies axis \(axis), which \(source.text) does not have")
                }
                result.append(source[axis])
            case .fixed(let value) where value < -1:
                throw SardonyxError(.invalidModel, "shape \(wanted.text) has the negative extent \(value)")
            default: result.append(extent)
            }
        }
        guard let source else { return context.set(0, type, result) }
        let total = source.reduce(Dimension.fixed(1), *)
        if let axis = inferred {
            // Equal symbols on both sides cancel, so that [N, 3, 4] → [N, -1] gives [N, 12].
            var left = source
            var right = result.indices.filter { $0 != axis }.map { result[$0] }
            for extent in right where extent.value == nil {
                if let match = left.firstIndex(of: extent), extent != .unknown {
                    left.remove(at: match)
                    right.remove(at: right.firstIndex(of: extent)!)
                }
            }
            let rest = right.reduce(Dimension.fixed(1), *)
            result[axis] = left.reduce(Dimension.fixed(1), *) / rest
            if rest == .fixed(0) { result[axis] = .fixed(0) }
        }
        let count = result.reduce(Dimension.fixed(1), *)
        if let from = total.value, let to = count.value, from != to {
            throw SardonyxError(
                .invalidModel, "\(source.text) has \(from) elements and cannot take the shape \(wanted.text)")
        }
        context.set(0, type, result)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = Kernel.view
        kernel.absorbedInputs = [1]
        return kernel
    }

    static let derivative: Derivative? = .unary { x, _, dy in try dy.reshaped(like: x) }

    static let examples = [
        Example(
            "0 copies an extent and -1 takes the rest",
            inputs: [Tensor(shape: [2, 3, 1], scalars: [1, 2, 3, 4, 5, 6] as [Float]), Tensor(integers: [0, -1])],
            outputs: [Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])])
    ]
}
