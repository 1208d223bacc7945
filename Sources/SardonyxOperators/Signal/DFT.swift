import SardonyxGraph

/// X[…, k, …] = Σ x[…, i, …] e^(∓2πi k i / n) along `axis`, divided by n with `inverse`; the last axis holds real and imaginary
/// parts. `onesided` gives the first ⌊n/2⌋ + 1 of a real signal's frequencies, or takes them back to a real signal.
///
/// <https://onnx.ai/onnx/operators/onnx__DFT.html>
enum DFT: Operator {
    static let schema = Schema(
        "DFT", versions: [17, 20],
        inputs: [
            Parameter("input", "T1", .floats), Parameter("dft_length", "T2", .indices, .optional),
            Parameter("axis", "tensor(int64)", [.int64], .optional),
        ],
        outputs: [Parameter("output", "T1", .floats)],
        attributes: [AttributeSpec("inverse", .int), AttributeSpec("onesided", .int)])

    /// Through opset 19 the axis is an attribute, 1 when it is absent.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 20 else { return }
        let axis = node.int("axis", default: 1)
        node.attributes["axis"] = nil
        node.setInput(2, lifting.add(Tensor(Int64(axis)), "\(node.displayName).axis"))
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let input = context.shape(0) else { return context.set(0, type, nil) }
        guard input.count >= 2, [nil, 1, 2].contains(input[input.count - 1].value) else {
            throw SardonyxError(
                .invalidModel,
                "the input \(input.text) must have a signal axis and, at the end, an axis of 1 or 2 parts")
        }
        let (isInverse, isOneSided) = (context.node.flag("inverse"), context.node.flag("onesided"))
        if isOneSided, !isInverse, input[input.count - 1].value == 2 {
            throw SardonyxError(.invalidModel, "a one-sided transform takes a real signal; the input is \(input.text)")
        }
        var shape = input
        shape[shape.count - 1] = .fixed(isInverse && isOneSided ? 1 : 2)
        if context.has(2) && context.integers(2) == nil {
            for axis in 0..<shape.count - 1 { shape[axis] = .unknown }
            return context.set(0, type, shape)
        }
        let axis = try Self.axis(context.integers(2), rank: input.count)
        var length: Dimension = isInverse && isOneSided ? (input[axis] - .fixed(1)) * .fixed(2) : input[axis]
        if context.has(1) { length = try Self.length(context.integers(1)).map(Dimension.fixed) ?? .unknown }
        shape[axis] = isOneSided && !isInverse ? length / .fixed(2) + .fixed(1) : length
        if let extent = length.value, extent < 1 {
            throw SardonyxError(.invalidModel, "the transform's length is \(extent); it must be 1 … 2²⁷")
        }
        context.set(0, type, shape)
    }

    private static func axis(_ given: [Int]?, rank: Int) throws(SardonyxError) -> Int {
        let axis = try normalizedAxis(given?.first ?? -2, rank: rank)
        guard axis < rank - 1 else {
            throw SardonyxError(.invalidModel, "the last axis holds the parts of complex numbers")
        }
        return axis
    }

    private static func length(_ given: [Int]?) throws(SardonyxError) -> Int? {
        guard let length = given?.first else { return nil }
        guard length >= 1, length <= 1 << 27 else {
            throw SardonyxError(.invalidModel, "dft_length is \(length); it must be 1 … 2²⁷")
        }
        return length
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0).shape
        let axis = try Self.axis(try context.integers(2), rank: input.count)
        let (isInverse, isOneSided) = (context.node.flag("inverse"), context.node.flag("onesided"))
        let natural = isInverse && isOneSided ? 2 * (input[axis] - 1) : input[axis]
        let length = try Self.length(try context.integers(1)) ?? natural
        guard length >= 1 else { throw SardonyxError(.invalidModel, "the transform's length is \(length)") }
        var kernel = try context.input(0).dataType.visitReal(
            Loops(
                input: input, output: try context.output(0).shape, axis: axis, isInverse: isInverse,
                isOneSided: isOneSided, length: length, workers: context.workers))
        kernel.absorbedInputs = Set([1, 2].filter(context.has))
        return kernel
    }

    private struct Loops: RealVisitor {
        let input: [Int]
        let output: [Int]
        let axis: Int
        let isInverse: Bool
        let isOneSided: Bool
        let length: Int
        let workers: Int

        /// Real signals are transformed in double and complex ones in their own precision, as the reference does.
        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            input[input.count - 1] == 1 ? kernel(T.self, in: Double.self) : kernel(T.self, in: T.Wide.self)
        }

        private func kernel<T: Real, W: RealMath>(_ type: T.Type, in precision: W.Type) -> Kernel {
            let transform = FourierTransform<W>(length: length)
            let (length, isInverse) = (length, isInverse)
            let parts = input[input.count - 1]
            let results = output[output.count - 1]
            let inner = input[(axis + 1)..<(input.count - 1)].reduce(1, *)
            let outer = input[..<axis].reduce(1, *)
            let (extent, kept) = (input[axis], output[axis])
            // A one-sided spectrum has its other half mirrored.
            let isMirrored = isInverse && isOneSided
            let used = min(extent, isMirrored ? length / 2 + 1 : length)
            let share = length + transform.scratchCount
            var kernel = Kernel.parallel(chunks: outer * inner) { frame, chunk, worker in
                let (o, i) = (chunk / inner, chunk % inner)
                let z = frame.scratch(0, as: Phasor<W>.self) + worker * share
                let x = frame.input(0, as: T.self) + (o * extent * inner + i) * parts
                for k in 0..<used {
                    let element = x + k * inner * parts
                    z[k] = Phasor(W(element[0].wide), parts == 2 ? W(element[1].wide) : 0)
                }
                for k in used..<length { z[k] = Phasor(0, 0) }
                if isMirrored {
                    z[0].imaginary = 0
                    if length % 2 == 0 { z[length / 2].imaginary = 0 }
                    for k in (length / 2 + 1)..<max(length, length / 2 + 1) { z[k] = z[length - k].conjugate }
                }
                transform.run(z, z + length, isInverse: isInverse)
                let y = frame.output(0, as: T.self) + (o * kept * inner + i) * results
                for k in 0..<kept {
                    y[k * inner * results] = T(wide: T.Wide(z[k].real))
                    if results == 2 { y[k * inner * results + 1] = T(wide: T.Wide(z[k].imaginary)) }
                }
            }
            kernel.workspaceByteCount = workers * share * MemoryLayout<Phasor<W>>.stride
            kernel.multiplyAdds = outer * inner * transform.multiplyAdds
            return kernel
        }
    }

    /// The transform is linear, and its matrix symmetric: back goes the conjugate of the conjugate's transform. Frequencies that
    /// a one-sided spectrum stands for twice count twice.
    static let derivative: Derivative? = Derivative { d in
        let (x, y) = (try d.x(), try d.y())
        let rank = try x.rank()
        let given = d.optionalInput(2)
        if let given, given.constant == nil {
            return try d.differentiate {
                [
                    try x.changed(
                        along: 0..<rank - 1, named: given, with: [d.optionalInput(1)].compactMap { $0 }
                    ) { x, axis, length in
                        try x.apply("DFT", length.first, x.scalar(axis), with: d.node.attributes)
                    }
                    .reshaped(like: y)
                ]
            }
        }
        let axis = try Self.axis(given?.constant?.integers, rank: rank)
        let (isInverse, isOneSided) = (d.node.flag("inverse"), d.node.flag("onesided"))
        try d.set(0) {
            let extent = try x.extents(axis..<axis + 1)
            let one = x.integers([1])
            var length = try isOneSided && !isInverse ? extent : y.extents(axis..<axis + 1)
            if let wanted = d.optionalInput(1) { length = try wanted.converted(to: one).reshaped(to: one) }
            let signs = try Tensor(shape: [2], scalars: [1, -1] as [Double]).converted(to: x.dataType())
            let conjugation = Term(id: d.builder.addConstant(signs), builder: d.builder)
            let isReal = isInverse && isOneSided
            var z = try (isReal ? d.dy() : d.dy() * conjugation).apply(
                "DFT", length.reshaped(to: x.integers([])), x.scalar(axis), with: ["inverse": .int(isInverse ? 1 : 0)])
            if isReal { z = try z * Self.shares(length, like: x).unsqueezed(Array(1..<rank - axis)) }
            let (before, after) = ([Int](repeating: 0, count: rank + axis), [Int](repeating: 0, count: rank - axis - 1))
            z = try z.padded(x.integers(before).joined([extent - length, x.integers(after)]))
            // A real signal has the first part only.
            let parts = try x.extents(rank - 1..<rank)
            return try (z * conjugation).apply("Slice", x.integers([0]), parts, x.integers([-1]))
        }
    }

    /// How often each frequency of a one-sided spectrum counts in a signal of a length: those that it leaves out not at all.
    private static func shares(_ length: Term, like x: Term) throws -> Term {
        let places = try length.indices()
        let double = try places * length.integers([2])
        let isOnce = try places.isEqual(to: length.integers([0])).apply("Or", double.isEqual(to: length))
        let isLeftOut = try double.isGreater(than: length)
        return try isLeftOut.choose(x.number(0), else: isOnce.choose(x.number(1), else: x.number(2)))
    }

    static let examples = [
        Example(
            "three elements",
            inputs: [Tensor(shape: [1, 3, 1], scalars: [1, 2, 4] as [Float])],
            outputs: [
                Tensor(shape: [1, 3, 2], scalars: [7, 0, -2, 1.7320508, -2, -1.7320508] as [Float])
            ], tolerance: 1e-6),
        Example(
            "one-sided, along the first axis",
            attributes: ["onesided": .int(1)],
            inputs: [Tensor(shape: [4, 1, 1], scalars: [1, 0, 0, 0] as [Double]), nil, Tensor(0 as Int64)],
            outputs: [Tensor(shape: [3, 1, 2], scalars: [1, 0, 1, 0, 1, 0] as [Double])], tolerance: 1e-12),
        Example(
            "back to a real signal",
            attributes: ["onesided": .int(1), "inverse": .int(1)],
            inputs: [Tensor(shape: [3, 2], scalars: [1, 0, 1, 0, 1, 0] as [Double])],
            outputs: [Tensor(shape: [4, 1], scalars: [1, 0, 0, 0] as [Double])], tolerance: 1e-12),
    ]
}
