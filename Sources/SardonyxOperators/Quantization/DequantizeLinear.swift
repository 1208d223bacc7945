import CKernels
import SardonyxGraph

/// y[…] = (x[…] − x_zero_point) · x_scale
///
/// The scale is one for the tensor, one for each index of `axis`, or one for each block of `block_size` along it.
/// The difference is exact, the product is computed in float and rounded to y's type.
/// <https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html>
enum DequantizeLinear: Operator {
    private static let types = DataType.quantized + [.int32]

    static let schema = Schema(
        "DequantizeLinear", versions: [10, 13, 19, 21, 23, 24, 25, 28],
        inputs: [
            Parameter("x", "T1", types), Parameter("x_scale", "T2", [.bfloat16, .float, .float16, .float8e8m0]),
            Parameter("x_zero_point", "T1", types, .optional),
        ],
        outputs: [Parameter("y", "T3", [.bfloat16, .float, .float16])],
        attributes: [
            AttributeSpec("axis", .int), AttributeSpec("block_size", .int), AttributeSpec("output_dtype", .int),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        let isGiven = context.node.int("output_dtype", default: 0) != 0
        let type = isGiven ? try context.node.dataType("output_dtype") : try context.dataType(1)
        guard let type, [.float, .float16, .bfloat16].contains(type) else {
            throw SardonyxError(
                .invalidModel, "output_dtype must name float, float16 or bfloat16; the scale's type is no type of y's")
        }
        try QuantizationLayout.check(context)
        context.set(0, type, context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0).dataType
        let target = try context.output(0).dataType
        let form = try QuantizationForm(context)
        switch x {
        case .int8 where target == .float && form.layout.isPerTensor:
            return form.perTensorKernel { sdx_convert_i8_f32($0.pool, $0.input(0), $0.output(0), $1, $2, $3) }
        case .uint8 where target == .float && form.layout.isPerTensor:
            return form.perTensorKernel { sdx_convert_u8_f32($0.pool, $0.input(0), $0.output(0), $1, $2, $3) }
        default:
            if let table = x.byteMeanings {
                return try target.visitReal(Target<UInt8>(form: form) { Double(table[Int($0)]) })
            }
            return try x.visitInteger(Source(form: form, target: target))
        }
    }

    private struct Source: IntegerVisitor {
        let form: QuantizationForm
        let target: DataType

        func visit<X: Number & FixedWidthInteger>(_ type: X.Type) throws -> Kernel {
            try target.visitReal(Target<X>(form: form) { $0.double })
        }
    }

    private struct Target<X: BitwiseCopyable & Sendable>: RealVisitor {
        let form: QuantizationForm
        let value: @Sendable (X) -> Double

        func visit<Y: Real>(_ type: Y.Type) throws -> Kernel {
            let (form, value) = (form, value)
            let loop = ParallelLoop(count: form.layout.count, grain: 8192) { frame, range in
                let x = frame.input(0, as: X.self)
                let y = frame.output(0, as: Y.self)
                let scales = form.scales.values(frame)
                let zeros = form.zeros?.values(frame)
                form.layout.forEachStretch(in: range) { elements, scale, step in
                    var index = scale
                    for i in elements {
                        let difference = Float(value(x[i]) - (zeros?[index] ?? 0))
                        y[i] = Y(wide: Y.Wide(difference * Float(scales[index])))
                        index += step
                    }
                }
            }
            return form.kernel { loop.run($0) }
        }
    }

    /// By the scale: what x is with a scale of 1.
    static let derivative: Derivative? = Derivative { d in
        let (x, scale) = (try d.x(0), try d.x(1))
        try d.set(1) {
            let levels = try x.apply("DequantizeLinear", scale.ones(), d.optionalInput(2), with: d.node.attributes)
            let products = try d.dy() * levels
            let (rank, scaleRank) = (try x.rank(), try scale.rank())
            if scale.shape?.allSatisfy({ $0 == .fixed(1) }) ?? false {
                return try products.apply("ReduceSum", with: ["keepdims": .int(0)]).converted(to: scale).reshaped(
                    like: scale)
            }
            let axis = try normalizedAxis(d.node.int("axis", default: 1), rank: rank)
            if scaleRank == 1 {
                // One for each index of the axis, or one for all of them.
                let aligned = try scale.unsqueezed(Array(1..<rank - axis))
                return try products.summed(like: aligned).converted(to: scale).reshaped(like: scale)
            }
            let block = d.node.int("block_size", default: 0)
            guard scaleRank == rank, block > 0 else {
                throw SardonyxError(.invalidModel, "the scale must have an axis, or those of x and block_size")
            }
            let whole = try scale.extents(axis..<axis + 1) * x.integers([block])
            let (before, after) = ([Int](repeating: 0, count: rank + axis), [Int](repeating: 0, count: rank - axis - 1))
            let rest = try whole - x.extents(axis..<axis + 1)
            let blocks = try products.padded(x.integers(before).joined([rest, x.integers(after)])).reshaped(
                to: x.extents(0..<axis).joined([
                    scale.extents(axis..<axis + 1), x.integers([block]), x.extents(axis + 1..<rank),
                ]))
            return try blocks.sum([axis + 1]).squeezed([axis + 1]).converted(to: scale)
        }
    }

    static let examples = [
        Example(
            "one scale",
            inputs: [
                Tensor(shape: [4], scalars: [0, 3, 128, 255] as [UInt8]), Tensor(2 as Float), Tensor(128 as UInt8),
            ], outputs: [Tensor(shape: [4], scalars: [-256, -250, 0, 254] as [Float])]),
        Example(
            "a scale for each channel, into float16", attributes: ["axis": .int(1), "output_dtype": .int(10)],
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [1, 2, 3, -4] as [Int8]),
                Tensor(shape: [2], scalars: [0.5, 2] as [Float]),
            ], outputs: [Tensor(shape: [1, 2, 2], scalars: [0.5, 1, 6, -8] as [Float16])]),
        Example(
            "blocks of two along the first axis", attributes: ["axis": .int(0), "block_size": .int(2)],
            inputs: [
                Tensor(shape: [3, 2], scalars: [3, 10, 4, 20, 5, 30] as [Int32]),
                Tensor(shape: [2, 2], scalars: [1, 0.1, 2, 0.5] as [Float]),
            ], outputs: [Tensor(shape: [3, 2], scalars: [3, 1, 4, 2, 10, 15] as [Float])], tolerance: 1e-6),
    ]
}
