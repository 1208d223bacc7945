import SardonyxGraph

/// Y[n, f, k] = Σ x[n, f · frame_step + i] · window[i] · e^(−2πi k i / frame_length): the Fourier transforms of frames, of which
/// `onesided` keeps the first ⌊frame_length/2⌋ + 1 frequencies.
///
/// <https://onnx.ai/onnx/operators/onnx__STFT.html>
enum STFT: Operator {
    static let schema = Schema(
        "STFT", versions: [17],
        inputs: [
            Parameter("signal", "T1", .floats), Parameter("frame_step", "T2", .indices),
            Parameter("window", "T1", .floats, .optional), Parameter("frame_length", "T2", .indices, .optional),
        ],
        outputs: [Parameter("output", "T1", .floats)], attributes: [AttributeSpec("onesided", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        try context.requireRank(0, 2...3, "signal")
        try context.requireRank(2, 1...1, "window")
        guard let signal = context.shape(0) else {
            return context.set(0, type, [.unknown, .unknown, .unknown, .fixed(2)])
        }
        let isOneSided = context.node.flag("onesided", default: true)
        let parts = signal.count == 3 ? signal[2].value : 1
        guard [nil, 1, 2].contains(parts), !(isOneSided && parts == 2) else {
            throw SardonyxError(
                .invalidModel, "the signal \(signal.text) must be [N, L, 1], or [N, L, 2] where onesided is 0")
        }
        var length = signal[1]
        if context.has(3) {
            length = context.integers(3)?.first.map(Dimension.fixed) ?? .unknown
        } else if context.has(2) {
            length = context.shape(2)?[0] ?? .unknown
        }
        if let window = context.shape(2)?[0].value, let length = length.value, window != length {
            throw SardonyxError(.invalidModel, "the window has \(window) elements, and frame_length is \(length)")
        }
        if let length = length.value {
            guard length >= 1, length <= signal[1].value ?? length else {
                throw SardonyxError(
                    .invalidModel,
                    "frame_length is \(length); it must be 1 or more, and at most the signal's \(signal[1])")
            }
        }
        var frames = Dimension.unknown
        if let step = context.integers(1)?.first {
            guard step >= 1 else { throw SardonyxError(.invalidModel, "frame_step is \(step); it must be 1 or more") }
            frames = (signal[1] - length) / .fixed(step) + .fixed(1)
        }
        let bins = isOneSided ? length / .fixed(2) + .fixed(1) : length
        context.set(0, type, [signal[0], frames, bins, .fixed(2)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let signal = try context.input(0).shape
        guard let step = try context.integers(1)?.first else {
            throw SardonyxError(.invalidModel, "frame_step must be one number")
        }
        let length = try context.integers(3)?.first ?? (context.has(2) ? try context.input(2).shape[0] : signal[1])
        var kernel = try context.input(0).dataType.visitReal(
            Loops(
                signal: signal, output: try context.output(0).shape, step: step, window: context.inputSlot(2),
                length: length, workers: context.workers))
        kernel.absorbedInputs = Set([1, 3].filter(context.has))
        return kernel
    }

    private struct Loops: RealVisitor {
        let signal: [Int]
        let output: [Int]
        let step: Int
        let window: Int?
        let length: Int
        let workers: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let transform = FourierTransform<Double>(length: length)
            let (step, window, length) = (step, window, length)
            let (total, parts) = (signal[1], signal.count == 3 ? signal[2] : 1)
            let (frames, bins) = (output[1], output[2])
            let share = length + transform.scratchCount
            var kernel = Kernel.parallel(chunks: output[0] * frames) { frame, chunk, worker in
                let x = frame.input(0, as: T.self) + (chunk / frames * total + chunk % frames * step) * parts
                let factors = frame.input(slot: window, as: T.self)
                let z = frame.scratch(0, as: Phasor<Double>.self) + worker * share
                for i in 0..<length {
                    let factor = factors?[i].double ?? 1
                    z[i] = Phasor(
                        x[i * parts].double * factor, parts == 2 ? x[i * parts + 1].double * factor : 0)
                }
                transform.run(z, z + length, isInverse: false)
                let y = frame.output(0, as: T.self) + chunk * bins * 2
                for k in 0..<bins {
                    y[2 * k] = T(wide: T.Wide(z[k].real))
                    y[2 * k + 1] = T(wide: T.Wide(z[k].imaginary))
                }
            }
            kernel.workspaceByteCount = workers * share * MemoryLayout<Phasor<Double>>.stride
            kernel.multiplyAdds = output[0] * frames * transform.multiplyAdds
            return kernel
        }
    }

    /// Frames are gathered, weighted and transformed.
    static let derivative: Derivative? = .definition { d in
        let (signal, y) = (try d.x(), try d.y())
        let one = signal.integers([1])
        func number(_ term: Term) throws -> Term { try term.converted(to: one).reshaped(to: one) }
        let window = d.optionalInput(2)
        let length =
            try d.optionalInput(3).map(number) ?? window.map { try $0.extents(0..<1) } ?? signal.extents(1..<2)
        let starts = try y.extents(1..<2).indices() * number(d.x(1))
        let places = try starts.unsqueezed([1]) + length.indices()
        let parted = try signal.rank() == 2 ? signal.unsqueezed([2]) : signal
        var frames = try parted.apply("Gather", places, with: ["axis": .int(1)])
        if let window { frames = try frames * window.unsqueezed([1]) }
        let attributes = ["onesided": Attribute.int(d.node.flag("onesided", default: true) ? 1 : 0)]
        return [try frames.apply("DFT", nil, signal.scalar(2), with: attributes)]
    }

    static let examples = [
        Example(
            "two frames of two",
            inputs: [
                Tensor(shape: [1, 4, 1], scalars: [1, 2, 3, 5] as [Float]), Tensor(2 as Int64),
                Tensor(shape: [2], scalars: [1, 0.5] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2, 2, 2], scalars: [2, 0, 0, 0, 5.5, 0, 0.5, 0] as [Float])], tolerance: 1e-6)
    ]
}
