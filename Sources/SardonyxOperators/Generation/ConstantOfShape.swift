import CKernels
import SardonyxGraph

/// y[…] = `value` everywhere, where `input` holds y's extents; the value is a zero float when it is not given.
///
/// <https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html>
enum ConstantOfShape: Operator {
    private static let types: TypeSet = .numbers + .float8s + .subBytes + [.bool]

    static let schema = Schema(
        "ConstantOfShape", versions: [9, 20, 21, 23, 24, 25],
        inputs: [Parameter("input", "T1", [.int64])],
        outputs: [Parameter("output", "T2", types)],
        attributes: [AttributeSpec("value", .tensor)])

    static func infer(_ context: inout InferenceContext) throws {
        let value = try value(context.node)
        try context.requireRank(0, 1...1, "input")
        guard let shape = context.elements(0) else {
            return context.set(0, value.dataType, context.unknownShape(context.shape(0)?.first?.value))
        }
        for case .fixed(let extent) in shape where extent < 0 {
            throw SardonyxError(.invalidModel, "\(shape.text) has a negative extent")
        }
        context.set(0, value.dataType, shape)
        if shape.count <= 1, let count = shape.fixed?.elementCount, count <= 64, let element = value.integers?.first {
            context.outputElements[0] = SymbolicShape(repeating: .fixed(element), count: count)
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let value = try value(context.node)
        let count = Int64(try context.output(0).elementCount)
        let size = Int32(value.dataType.byteCount)
        var kernel = Kernel { frame in
            value.withUnsafeBytes { bytes in
                guard let element = bytes.baseAddress else { return }
                // SAFETY: the value is one element, the output `count` of them.
                sdx_fill(frame.pool, size, element, frame.output(0, as: UInt8.self), count)
            }
        }
        kernel.absorbedInputs = [0]
        return kernel
    }

    private static func value(_ node: Node) throws -> Tensor {
        guard let value = node.tensor("value") else { return Tensor(Float(0)) }
        guard value.count == 1, types.contains(value.dataType) else {
            throw SardonyxError(.invalidModel, "value must be one number; it is \(value.spec.text)")
        }
        return value
    }

    static let examples = [
        Example(
            "ones", attributes: ["value": .tensor(Tensor(shape: [1], scalars: [1] as [Int32]))],
            inputs: [Tensor(integers: [2, 2])], outputs: [Tensor(shape: [2, 2], scalars: [1, 1, 1, 1] as [Int32])]),
        Example("a scalar zero", inputs: [Tensor(integers: [])], outputs: [Tensor(Float(0))]),
    ]
}
