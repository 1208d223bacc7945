import CKernels
import SardonyxGraph

/// y_scale = (max(0, x) − min(0, x)) / 255; y_zero_point = round(−min(0, x) / y_scale);
/// y = saturate(round(x / y_scale) + y_zero_point), as uint8.
///
/// Where all of x is zero the scale is 1, as in ONNX Runtime.
/// <https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html>
enum DynamicQuantizeLinear: Operator {
    static let schema = Schema(
        "DynamicQuantizeLinear", versions: [11], inputs: [Parameter("x", "T1", [.float])],
        outputs: [
            Parameter("y", "T2", [.uint8]), Parameter("y_scale", "tensor(float)", [.float]),
            Parameter("y_zero_point", "T2", [.uint8]),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .uint8, context.shape(0))
        context.set(1, .float, [])
        context.set(2, .uint8, [])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let count = Int64(try context.input(0).elementCount)
        let slots = (y: context.outputSlot(0), scale: context.outputSlot(1), zero: context.outputSlot(2))
        return Kernel { frame in
            let x = frame.input(0, as: Float.self)
            var (high, low): (Float, Float) = (0, 0)
            sdx_reduce_f32(frame.pool, SDX_REDUCE_MAX, x, &high, 1, count, 1)
            sdx_reduce_f32(frame.pool, SDX_REDUCE_MIN, x, &low, 1, count, 1)
            (high, low) = (max(high, 0), min(low, 0))
            let scale = high == low ? 1 : (high - low) / 255
            let zero = min(max(-low / scale, 0), 255).rounded(.toNearestOrEven)
            let code = zero.isNaN ? 0 : UInt8(zero)
            if let y = frame.output(slot: slots.y, as: UInt8.self) {
                sdx_quantize_f32_u8(frame.pool, x, y, count, scale, Int32(code))
            }
            frame.output(slot: slots.scale, as: Float.self)?.pointee = scale
            frame.output(slot: slots.zero, as: UInt8.self)?.pointee = code
        }
    }

    /// The scale alone is of floating point.
    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        func end(_ operatorType: String, _ bound: String) throws -> Term {
            try x.apply(operatorType, with: ["keepdims": .int(0)]).apply(bound, x.number(0))
        }
        let range = try end("ReduceMax", "Max") - end("ReduceMin", "Min")
        return [nil, try range.isEqual(to: x.number(0)).choose(x.number(1), else: range / 255), nil]
    }

    static let examples = [
        Example(
            "values on both sides of zero",
            inputs: [Tensor(shape: [6], scalars: [0, 2, -3, -2.5, 1.34, 0.5] as [Float])],
            outputs: [
                Tensor(shape: [6], scalars: [153, 255, 0, 26, 221, 179] as [UInt8]), Tensor(0.019607844 as Float),
                Tensor(153 as UInt8),
            ], tolerance: 1e-7)
    ]
}
