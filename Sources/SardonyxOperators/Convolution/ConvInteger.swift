import SardonyxGraph

/// y[n, m, o] = Σ (x[n, c, o · stride + t · dilation − pad] − xz) · (w[m, c, t] − wz[m]) in int32; padding is xz.
///
/// <https://onnx.ai/onnx/operators/onnx__ConvInteger.html>
enum ConvInteger: Operator {
    static let schema = Schema(
        "ConvInteger", versions: [10],
        inputs: [
            Parameter("x", "T1", [.int8, .uint8]), Parameter("w", "T2", [.int8, .uint8]),
            Parameter("x_zero_point", "T1", [.int8, .uint8], .optional),
            Parameter("w_zero_point", "T2", [.int8, .uint8], .optional),
        ],
        outputs: [Parameter("y", "T3", [.int32])],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("dilations", .ints), AttributeSpec("group", .int),
            AttributeSpec("kernel_shape", .ints), AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try ConvolutionGeometry.infer(&context, bias: nil, output: .int32)
        try QuantizedConvolution.checkPerFilter(context, 3, "w_zero_point", weights: 1)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let geometry = try ConvolutionGeometry(context)
        let zero = context.inputSlot(2)
        let products = try QuantizedConvolution(
            context, geometry, x: 0, w: 1, xZero: zero, wZero: context.inputSlot(3))
        return products.kernel { frame, sum, position, _ in frame.output(0, as: Int32.self)[position] = sum }
    }

    static let examples = [
        Example(
            "the padding counts as the zero point",
            attributes: ["pads": .ints([1, 1])],
            inputs: [
                Tensor(shape: [1, 1, 3], scalars: [2, 3, 4] as [UInt8]),
                Tensor(shape: [1, 1, 2], scalars: [1, 1] as [UInt8]),
                Tensor(1 as UInt8),
            ],
            outputs: [Tensor(shape: [1, 1, 4], scalars: [1, 3, 5, 3] as [Int32])])
    ]
}
