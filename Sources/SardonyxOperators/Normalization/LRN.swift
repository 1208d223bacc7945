import CKernels
import SardonyxGraph

/// y[n, c, …] = x[n, c, …] / (bias + α/size · Σⱼ x[n, j, …]²)^β, j from c − ⌊(size − 1)/2⌋ to c + ⌈(size − 1)/2⌉.
///
/// <https://onnx.ai/onnx/operators/onnx__LRN.html>
enum LRN: Operator {
    static let schema = Schema(
        "LRN", versions: [1, 13], inputs: [Parameter("X", "T", .floats)], outputs: [Parameter("Y", "T", .floats)],
        attributes: [
            AttributeSpec("bias", .float), AttributeSpec("beta", .float), AttributeSpec("alpha", .float),
            AttributeSpec("size", .int, required: true),
        ])

    static func infer(_ context: inout InferenceContext) throws {
        try context.passThrough()
        if let shape = context.shape(0), shape.count < 2 {
            throw SardonyxError(.invalidModel, "X must have 2 axes or more; it has \(shape.text)")
        }
        guard (1...1 << 30).contains(context.node.int("size", default: 1)) else {
            throw SardonyxError(.invalidModel, "size must be 1 or more")
        }
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let shape = try context.input(0).shape
        guard shape.count > 1,
            sdx_lrn_c8_supported(Int64(shape[1]), Int64(context.node.int("size", default: 1))) != 0
        else { return [] }
        return try context.channelBlocks()
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let x = try context.input(0)
        let window = Window(
            layout: ChannelLayout(x.shape), size: context.node.int("size", default: 1),
            alpha: context.node.float("alpha", default: 0.0001), beta: context.node.float("beta", default: 0.75),
            bias: context.node.float("bias", default: 1))
        guard x.dataType == .float else { return try x.dataType.visitReal(window) }
        let run = x.layout == .channelBlocks ? sdx_lrn_c8_f32 : sdx_lrn_f32
        return Kernel { frame in
            run(
                frame.pool, frame.input(0), frame.output(0), window.layout.batch, window.layout.channels,
                window.layout.inner, Int64(window.size), window.alpha, window.beta, window.bias)
        }
    }

    private struct Window: RealVisitor {
        let layout: ChannelLayout
        let size: Int
        let alpha: Float
        let beta: Float
        let bias: Float

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let w = self
            let (channels, inner) = (Int(layout.channels), Int(layout.inner))
            return Kernel.parallel(chunks: Int(layout.batch) * channels) { frame, chunk, _ in
                let (image, channel) = (chunk / channels, chunk % channels)
                let x = frame.input(0, as: T.self) + image * channels * inner
                let y = frame.output(0, as: T.self) + chunk * inner
                let first = max(0, channel - (w.size - 1) / 2)
                let last = min(channels - 1, channel + w.size / 2)
                for i in 0..<inner {
                    var squares = 0.0
                    for other in first...last { squares += x[other * inner + i].double * x[other * inner + i].double }
                    let base = Double(w.bias) + Double(w.alpha) / Double(w.size) * squares
                    y[i] = T.converting(x[channel * inner + i].double / Double.pow(base, Double(w.beta)))
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let x = try d.x()
        let size = d.node.int("size", default: 1)
        // The channels as rows of an image, so that a pool goes over them.
        let rows = try x.reshaped(to: x.extents(0..<1).joined([x.integers([1]), x.extents(1..<2), x.integers([-1])]))
        let window: [String: Attribute] = [
            "kernel_shape": .ints([Int64(size), 1]), "count_include_pad": .int(1),
            "pads": .ints([Int64((size - 1) / 2), 0, Int64(size / 2), 0]),
        ]
        let mean = try rows.squared().apply("AveragePool", with: window).reshaped(like: x)
        let base = try mean * Double(d.node.float("alpha", default: 0.0001)) + Double(d.node.float("bias", default: 1))
        return [try x / base.power(x.number(Double(d.node.float("beta", default: 0.75))))]
    }

    static let examples = [
        Example(
            "a window of three channels", attributes: ["size": .int(3), "alpha": .float(3), "beta": .float(1)],
            inputs: [Tensor(shape: [1, 3, 1], scalars: [1, 2, 3] as [Float])],
            outputs: [Tensor(shape: [1, 3, 1], scalars: [1.0 / 6, 2.0 / 15, 3.0 / 14] as [Float])], tolerance: 1e-6)
    ]
}
