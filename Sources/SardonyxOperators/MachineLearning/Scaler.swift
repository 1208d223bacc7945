import SardonyxGraph

/// Y[…, f] = (X[…, f] − offset[f]) · scale[f]; lists of one element hold for all features.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html>
enum Scaler: Operator {
    static let schema = Schema(
        "Scaler", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T", .features)],
        outputs: [Parameter("Y", "tensor(float)", [.float])],
        attributes: [AttributeSpec("offset", .floats), AttributeSpec("scale", .floats)])

    static func infer(_ context: inout InferenceContext) throws { context.set(0, .float, context.shape(0)) }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.input(0).dataType.visitNumber(Loops(context: context))
    }

    private struct Loops: NumberVisitor {
        let context: PreparationContext

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let shape = try context.input(0).shape
            let offset = try FeatureList(context.node.floats("offset") ?? [0], "offset", shape)
            let scale = try FeatureList(context.node.floats("scale") ?? [1], "scale", shape)
            return .parallel(count: shape.elementCount, grain: 16384) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: Float.self)
                for i in range { y[i] = Float((x[i].double - Double(offset[i])) * Double(scale[i])) }
            }
        }
    }

    static let examples = [
        Example(
            "an offset and a scale for each feature",
            attributes: ["offset": .floats([1, 2]), "scale": .floats([0.5, 2])],
            inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Int64])],
            outputs: [Tensor(shape: [2, 2], scalars: [0, 0, 1, 4] as [Float])])
    ]
}

/// A list of one value for each feature, the last axis, or of one for all.
struct FeatureList<Element: Sendable>: Sendable {
    private let values: [Element]

    init(_ values: [Element], _ name: String, _ shape: [Int]) throws {
        guard values.count == 1 || values.count == shape.last else {
            throw SardonyxError(
                .invalidModel, "\(name) has \(values.count) elements; it must have 1 or \(shape.last ?? 1)")
        }
        self.values = values
    }

    /// The value for an element of the tensor.
    subscript(index: Int) -> Element { values[values.count == 1 ? 0 : index % values.count] }
}
