import SardonyxGraph

/// y = saturate(round(Σₖ (a[…, m, k] − az) · (b[…, k, n] − bz) · as · bs / ys) + yz), ties to even; a's parameters are one number
/// or one a row, b's one number or one a column. With a float8 operand it is summed in float.
///
/// <https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html>
enum QLinearMatMul: Operator {
    private static let types: TypeSet = [
        .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .int8, .uint8,
    ]
    private static let scales: TypeSet = [.bfloat16, .float, .float16]

    static let schema = Schema(
        "QLinearMatMul", versions: [10, 21],
        inputs: [
            Parameter("a", "T1", types), Parameter("a_scale", "TS", scales), Parameter("a_zero_point", "T1", types),
            Parameter("b", "T2", types), Parameter("b_scale", "TS", scales), Parameter("b_zero_point", "T2", types),
            Parameter("y_scale", "TS", scales), Parameter("y_zero_point", "T3", types),
        ],
        outputs: [Parameter("y", "T3", types)])

    static func infer(_ context: inout InferenceContext) throws {
        try QuantizedProduct.infer(&context, a: 0, b: 3, output: try context.dataType(7))
        try QuantizedProduct.check(context, 1, "a_scale", of: 0, isRow: true)
        try QuantizedProduct.check(context, 2, "a_zero_point", of: 0, isRow: true)
        try QuantizedProduct.check(context, 4, "b_scale", of: 3, isRow: false)
        try QuantizedProduct.check(context, 5, "b_zero_point", of: 3, isRow: false)
        try QuantizedConvolution.checkScalar(context, 6, "y_scale")
        try QuantizedConvolution.checkScalar(context, 7, "y_zero_point")
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let (a, b) = (try context.input(0), try context.input(3))
        let product = try QuantizedProduct(context, a: 0, b: 3, aZero: 2, bZero: 5)
        let aSteps = QuantizationSteps(try context.input(1).shape, lines: product.rows)
        let bSteps = QuantizationSteps(try context.input(4).shape, lines: product.columns)
        let scaleType = try context.input(1).dataType
        let (aScale, bScale) = (RealOperand(slot: 1, type: scaleType), RealOperand(slot: 4, type: scaleType))
        let yScale = RealOperand(slot: 6, type: scaleType)
        let target = try Target(context.output(0).dataType)
        let finish: QuantizedProduct.Finish = { frame, sum, position, row, column in
            let scale =
                Float(aScale(frame, aSteps.index(matrix: row.matrix, line: row.line)))
                * Float(bScale(frame, bSteps.index(matrix: column.matrix, line: column.line))) / Float(yScale(frame, 0))
            target.store(frame, Float(sum) * scale, at: position)
        }
        if a.dataType.isInteger && b.dataType.isInteger { return product.kernel(finish) }
        guard let aTable = Codes(a.dataType), let bTable = Codes(b.dataType) else { throw a.dataType.unsupported }
        return product.kernel(aTable.values, bTable.values) { frame, sum, position, row, column in
            let scale =
                Float(aScale(frame, aSteps.index(matrix: row.matrix, line: row.line)))
                * Float(bScale(frame, bSteps.index(matrix: column.matrix, line: column.line))) / Float(yScale(frame, 0))
            target.store(frame, sum * scale, at: position)
        }
    }

    /// The numbers of all 256 codes of an 8-bit type.
    private struct Codes {
        let values: [Float]

        init?(_ type: DataType) {
            switch type {
            case .uint8: values = (0..<256).map { Float($0) }
            case .int8: values = (0..<256).map { Float(Int8(truncatingIfNeeded: $0)) }
            default:
                guard let table = SmallFloat.table(type) else { return nil }
                values = table
            }
        }
    }

    /// How results are stored: rounded and shifted integers, or float8 codes.
    private struct Target: Sendable {
        let type: DataType
        let format: SmallFloat?

        init(_ type: DataType) throws {
            self.type = type
            format = SmallFloat(type)
        }

        @inline(__always)
        func store(_ frame: Frame, _ value: Float, at position: Int) {
            switch type {
            case .int8:
                let zero = Double(frame.input(7, as: Int8.self).pointee)
                frame.output(0, as: Int8.self)[position] = Int8.converting(
                    Double(value.rounded(.toNearestOrEven)) + zero)
            case .uint8:
                let zero = Double(frame.input(7, as: UInt8.self).pointee)
                frame.output(0, as: UInt8.self)[position] = UInt8.converting(
                    Double(value.rounded(.toNearestOrEven)) + zero)
            default:
                frame.output(0, as: UInt8.self)[position] = format?.encode(Double(value), saturates: true) ?? 0
            }
        }
    }

    static let examples = [
        Example(
            "a row by a column",
            inputs: [
                Tensor(shape: [1, 2], scalars: [12, 6] as [UInt8]), Tensor(0.5 as Float), Tensor(10 as UInt8),
                Tensor(shape: [2, 1], scalars: [20, 3] as [Int8]), Tensor(shape: [1], scalars: [0.25] as [Float]),
                Tensor(shape: [1], scalars: [0] as [Int8]), Tensor(1 as Float), Tensor(100 as UInt8),
            ],
            // (2 · 20 − 4 · 3) / 8 = 3.5 rounds to the even 4.
            outputs: [Tensor(shape: [1, 1], scalars: [104] as [UInt8])])
    ]
}
