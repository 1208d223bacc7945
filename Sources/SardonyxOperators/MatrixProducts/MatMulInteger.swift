import SardonyxGraph

/// y[…, m, n] = Σₖ (a[…, m, k] − az[m]) · (b[…, k, n] − bz[n]) in int32; a zero point is one number, or one for each row of a
/// (column of b).
///
/// <https://onnx.ai/onnx/operators/onnx__MatMulInteger.html>
enum MatMulInteger: Operator {
    private static let bytes: TypeSet = [.int8, .uint8]

    static let schema = Schema(
        "MatMulInteger", versions: [10],
        inputs: [
            Parameter("A", "T1", bytes), Parameter("B", "T2", bytes), Parameter("a_zero_point", "T1", bytes, .optional),
            Parameter("b_zero_point", "T2", bytes, .optional),
        ],
        outputs: [Parameter("Y", "T3", [.int32])])

    static func infer(_ context: inout InferenceContext) throws {
        try QuantizedProduct.infer(&context, a: 0, b: 1, output: .int32)
        try QuantizedProduct.check(context, 2, "a_zero_point", of: 0, isRow: true)
        try QuantizedProduct.check(context, 3, "b_zero_point", of: 1, isRow: false)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try QuantizedProduct(context, a: 0, b: 1, aZero: context.inputSlot(2), bZero: context.inputSlot(3))
            .kernel { frame, sum, position, _, _ in frame.output(0, as: Int32.self)[position] = sum }
    }

    static let examples = [
        Example(
            "both zero points",
            inputs: [
                Tensor(shape: [1, 2], scalars: [11, 7] as [UInt8]), Tensor(shape: [2, 1], scalars: [3, 5] as [Int8]),
                Tensor(10 as UInt8), Tensor(shape: [1], scalars: [1] as [Int8]),
            ],
            outputs: [Tensor(shape: [1, 1], scalars: [-10] as [Int32])])
    ]
}
