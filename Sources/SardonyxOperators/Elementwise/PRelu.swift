import CKernels
import SardonyxGraph

/// y = x < 0 ? slope · x : x, with `slope` broadcast to x's shape.
///
/// <https://onnx.ai/onnx/operators/onnx__PRelu.html>
enum PRelu: ElementwiseOperator {
    static let schema = Schema.binary(
        "PRelu", versions: [1, 6, 7, 9, 16], types: .floats + [.int32, .int64, .uint32, .uint64],
        inputs: ("X", "slope"), output: "Y")

    /// Through opset 6 the slope's only axis is x's channel axis.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 7 else { return }
        node.removeConsumedInputs(opset: opset)
        if node.inputs.count == 2 { node.alignSecondInput(axis: 1, in: &lifting) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        guard let x = context.shape(0), let slope = context.shape(1) else { return }
        // Broadcasting may not make the output larger than x.
        guard slope.count <= x.count, let shape = try broadcast(x, slope).fixed, let fixed = x.fixed, shape != fixed
        else {
            if slope.count <= x.count { return }
            throw SardonyxError(.invalidModel, "the slope's shape \(slope.text) does not broadcast to \(x.text)")
        }
        throw SardonyxError(.invalidModel, "the slope's shape \(slope.text) does not broadcast to \(x.text)")
    }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        .binary(SDX_BINARY_PRELU)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        try context.binaryOffers(isCommutative: false)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if let kernel = try context.blockedBinaryKernel(SDX_BINARY_PRELU) { return kernel }
        let type = try context.input(0).dataType
        let broadcast = try context.broadcastPair()
        var kernel =
            type == .float && broadcast.fitsCKernels
            ? binaryKernel(SDX_BINARY_PRELU, broadcast) : try type.visitNumber(Visitor(broadcast: broadcast))
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }

    private struct Visitor: NumberVisitor {
        let broadcast: Broadcast
        func visit<T: Number>(_ type: T.Type) throws -> Kernel { Function<T>.kernel(broadcast) }
    }

    private enum Function<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ x: T, _ slope: T) -> T { x < T.zero ? T.multiplying(slope, x) : x }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, slope, dy) = (try d.x(0), try d.x(1), try d.dy())
        let isBelow = try x.isLess(than: 0)
        try d.set(0) { try isBelow.choose(dy * slope, else: dy) }
        try d.setSummed(1) { try (dy * x).kept(where: isBelow) }
    }

    static let examples = [
        Example(
            "a slope for each channel",
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [-1, 1, -1, 2] as [Float]),
                Tensor(shape: [2, 1], scalars: [0.5, 0.25] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2, 2], scalars: [-0.5, 1, -0.25, 2] as [Float])])
    ]
}
