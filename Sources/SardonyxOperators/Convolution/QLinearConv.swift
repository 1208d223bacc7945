import SardonyxGraph

/// y = saturate(round(conv(x − xz, w − wz) + B) · xs · ws / ys) + yz), ties to even; ws, wz and B by output channel.
///
/// <https://onnx.ai/onnx/operators/onnx__QLinearConv.html>
enum QLinearConv: Operator {
    private static let bytes: TypeSet = [.int8, .uint8]

    static let schema = Schema(
        "QLinearConv", versions: [10],
        inputs: [
            Parameter("x", "T1", bytes), Parameter("x_scale", "tensor(float)", [.float]),
            Parameter("x_zero_point", "T1", bytes), Parameter("w", "T2", bytes),
            Parameter("w_scale", "tensor(float)", [.float]), Parameter("w_zero_point", "T2", bytes),
            Parameter("y_scale", "tensor(float)", [.float]), Parameter("y_zero_point", "T3", bytes),
            Parameter("B", "T4", [.int32], .optional),
        ],
        outputs: [Parameter("y", "T3", bytes)],
        attributes: [
            AttributeSpec("auto_pad", .string), AttributeSpec("dilations", .ints), AttributeSpec("group", .int),
            AttributeSpec("kernel_shape", .ints), AttributeSpec("pads", .ints), AttributeSpec("strides", .ints),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try ConvolutionGeometry.infer(&context, w: 3, bias: 8, output: try context.dataType(7))
        for (index, name) in [(1, "x_scale"), (2, "x_zero_point"), (6, "y_scale"), (7, "y_zero_point")] {
            try QuantizedConvolution.checkScalar(context, index, name)
        }
        try QuantizedConvolution.checkPerFilter(context, 4, "w_scale", weights: 3)
        try QuantizedConvolution.checkPerFilter(context, 5, "w_zero_point", weights: 3)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let geometry = try ConvolutionGeometry(context, w: 3)
        let sums = try QuantizedConvolution(context, geometry, x: 0, w: 3, xZero: 2, wZero: 5)
        let bias = context.inputSlot(8)
        let scaleStride = try context.input(4).elementCount > 1 ? 1 : 0
        let isSigned = try context.output(0).dataType == .int8
        return sums.kernel { frame, sum, position, filter in
            let scale =
                frame.input(1, as: Float.self).pointee * frame.input(4, as: Float.self)[filter * scaleStride]
                / frame.input(6, as: Float.self).pointee
            let total = sum &+ (frame.input(slot: bias, as: Int32.self)?[filter] ?? 0)
            let scaled = (Float(total) * scale).rounded(.toNearestOrEven)
            if isSigned {
                let zero = Float(frame.input(7, as: Int8.self).pointee)
                frame.output(0, as: Int8.self)[position] = Int8.converting(Double(scaled + zero))
            } else {
                let zero = Float(frame.input(7, as: UInt8.self).pointee)
                frame.output(0, as: UInt8.self)[position] = UInt8.converting(Double(scaled + zero))
            }
        }
    }

    static let examples = [
        Example(
            "one tap, a scale of 1/2",
            inputs: [
                Tensor(shape: [1, 1, 3], scalars: [130, 131, 255] as [UInt8]), Tensor(0.5 as Float),
                Tensor(128 as UInt8),
                Tensor(shape: [1, 1, 1], scalars: [3] as [Int8]), Tensor(shape: [1], scalars: [1] as [Float]),
                Tensor(shape: [1], scalars: [0] as [Int8]), Tensor(1 as Float), Tensor(10 as UInt8),
                Tensor(shape: [1], scalars: [1] as [Int32]),
            ],
            // (2 · 3 + 1)/2 = 3.5 → 4; (3 · 3 + 1)/2 = 5; (127 · 3 + 1)/2 = 191.
            outputs: [Tensor(shape: [1, 1, 3], scalars: [14, 15, 201] as [UInt8])])
    ]
}
