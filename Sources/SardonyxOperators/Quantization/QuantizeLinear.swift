import CKernels
import SardonyxGraph

/// y[…] = saturate(round(x[…] / y_scale) + y_zero_point), ties to even
///
/// The scale is one for the tensor, one for each index of `axis`, or one for each block of `block_size` along it.
/// The quotient is rounded to the scale's type, or to `precision`, before it is rounded to y's. Small float formats
/// take it without rounding to whole numbers.
/// <https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html>
enum QuantizeLinear: Operator {
    static let schema = Schema(
        "QuantizeLinear", versions: [10, 13, 19, 21, 23, 24, 25, 28],
        inputs: [
            Parameter("x", "T1", [.bfloat16, .float, .float16, .int32]),
            Parameter("y_scale", "T2", [.bfloat16, .float, .float16, .float8e8m0, .int32]),
            Parameter("y_zero_point", "T3", DataType.quantized, .optional),
        ],
        outputs: [Parameter("y", "T3", DataType.quantized)],
        attributes: [
            AttributeSpec("axis", .int), AttributeSpec("block_size", .int), AttributeSpec("output_dtype", .int),
            AttributeSpec("precision", .int), AttributeSpec("saturate", .int),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        var type = DataType.uint8
        if let named = try outputType(context.node) {
            type = named
            guard DataType.quantized.contains(type) else {
                throw SardonyxError(.invalidModel, "output_dtype is \(type.name), which is no quantized type")
            }
        }
        if context.has(2) {
            let zeroType = try context.dataType(2)
            guard try outputType(context.node) ?? zeroType == zeroType else {
                throw SardonyxError(
                    .invalidModel, "output_dtype is \(type.name) and the zero point \(zeroType.name); they must agree")
            }
            type = zeroType
        }
        _ = try Precision(context.node, scale: context.dataType(1))
        try QuantizationLayout.check(context)
        context.set(0, type, context.shape(0))
    }

    /// The attribute; 0 stands for what is not given.
    private static func outputType(_ node: Node) throws -> DataType? {
        node.int("output_dtype", default: 0) == 0 ? nil : try node.dataType("output_dtype")
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0).dataType
        let target = try context.output(0).dataType
        let form = try QuantizationForm(context)
        let precision = try Precision(context.node, scale: context.input(1).dataType)
        let isPlain = x == .float && form.layout.isPerTensor && precision == .single
        switch target {
        case .int8 where isPlain:
            return form.perTensorKernel { sdx_quantize_f32_i8($0.pool, $0.input(0), $0.output(0), $1, $2, $3) }
        case .uint8 where isPlain:
            return form.perTensorKernel { sdx_quantize_f32_u8($0.pool, $0.input(0), $0.output(0), $1, $2, $3) }
        default:
            let code = try Code(target, saturates: context.node.flag("saturate", default: true))
            return try x.visitNumber(Loops(form: form, precision: precision, code: code))
        }
    }

    /// What the quotient is rounded to.
    private enum Precision {
        case half, brain, single, double

        init(_ node: Node, scale: DataType) throws {
            let type = node.int("precision", default: 0) == 0 ? scale : try node.dataType("precision")
            switch type {
            case .float16: self = .half
            case .bfloat16: self = .brain
            case .float, .float8e8m0: self = .single
            case .double, .int32: self = .double
            default:
                throw SardonyxError(
                    .invalidModel, "precision is \(type?.name ?? "?"); it must be float, float16 or bfloat16")
            }
        }

        @inline(__always)
        func round(_ value: Double) -> Double {
            switch self {
            case .half: Double(Float16(value))
            case .brain: Double(BFloat16(Float(value)).floatValue)
            case .single: Double(Float(value))
            case .double: value
            }
        }
    }

    /// How quotients become elements of y.
    private enum Code: Sendable {
        case integer(ClosedRange<Double>, isWide: Bool)
        /// Without NaN the zero point's sum is kept, so that -0 becomes 0 as in the reference.
        case small(SmallFloat, saturates: Bool, addsZero: Bool)

        init(_ type: DataType, saturates: Bool) throws {
            switch type {
            case .uint8: self = .integer(0...255, isWide: false)
            case .int8: self = .integer(-128...127, isWide: false)
            case .uint4: self = .integer(0...15, isWide: false)
            case .int4: self = .integer(-8...7, isWide: false)
            case .uint2: self = .integer(0...3, isWide: false)
            case .int2: self = .integer(-2...1, isWide: false)
            case .uint16: self = .integer(0...65535, isWide: true)
            case .int16: self = .integer(-32768...32767, isWide: true)
            default:
                guard let format = SmallFloat(type) else { throw type.unsupported }
                self = .small(format, saturates: saturates, addsZero: type.fileBitCount < 8)
            }
        }
    }

    private struct Loops: NumberVisitor {
        let form: QuantizationForm
        let precision: Precision
        let code: Code

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let loop =
                switch code {
                case .integer(let range, isWide: false):
                    loop(T.self) { UInt8(truncatingIfNeeded: range.rounding($0, $1)) }
                case .integer(let range, isWide: true):
                    loop(T.self) { UInt16(truncatingIfNeeded: range.rounding($0, $1)) }
                case .small(let format, let saturates, let addsZero):
                    loop(T.self) { quotient, zero in
                        format.encode(zero != 0 || addsZero ? quotient + zero : quotient, saturates: saturates)
                    }
                }
            return form.kernel { loop.run($0) }
        }

        private func loop<T: Number, Y: BitwiseCopyable & Sendable>(
            _ type: T.Type, _ encode: @escaping @Sendable (_ quotient: Double, _ zero: Double) -> Y
        ) -> ParallelLoop {
            let (layout, precision) = (form.layout, precision)
            let (scaleValues, zeroValues) = (form.scales, form.zeros)
            return ParallelLoop(count: layout.count, grain: 4096) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: Y.self)
                let scales = scaleValues.values(frame)
                let zeros = zeroValues?.values(frame)
                layout.forEachStretch(in: range) { elements, scale, step in
                    var index = scale
                    for i in elements {
                        let quotient = precision.round(precision.round(x[i].double) / precision.round(scales[index]))
                        y[i] = encode(quotient, zeros?[index] ?? 0)
                        index += step
                    }
                }
            }
        }
    }

    static let examples = [
        Example(
            "one scale",
            inputs: [
                Tensor(shape: [6], scalars: [0, 2, 3, 1000, -254, -1000] as [Float]), Tensor(2 as Float),
                Tensor(128 as UInt8),
            ], outputs: [Tensor(shape: [6], scalars: [128, 129, 130, 255, 1, 0] as [UInt8])]),
        Example(
            "a scale for each channel", attributes: ["axis": .int(0)],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 30, -40] as [Float]),
                Tensor(shape: [2], scalars: [1, 10] as [Float]),
                Tensor(shape: [2], scalars: [0, 1] as [Int16]),
            ], outputs: [Tensor(shape: [2, 2], scalars: [1, 2, 4, -3] as [Int16])]),
        Example(
            "blocks of two along the last axis", attributes: ["axis": .int(1), "block_size": .int(2)],
            inputs: [
                Tensor(shape: [1, 3], scalars: [6, 12, 48] as [Float16]),
                Tensor(shape: [1, 2], scalars: [1.5, 3] as [Float16]),
                Tensor(shape: [1, 2], scalars: [1, 0] as [Int8]),
            ], outputs: [Tensor(shape: [1, 3], scalars: [5, 9, 16] as [Int8])]),
    ]
}

extension ClosedRange<Double> {
    /// The whole number nearest to a quotient plus a zero point, within the range; NaN gives the smallest.
    @inline(__always)
    fileprivate func rounding(_ quotient: Double, _ zero: Double) -> Int {
        let value = quotient.rounded(.toNearestOrEven) + zero
        return Int(value >= upperBound ? upperBound : value > lowerBound ? value : lowerBound)
    }
}
