import SardonyxGraph

/// log_prob[n, c, d…] = scores[n, c, d…] − ln Σⱼ exp(scores[n, j, d…]); the loss of labels[n, d…] = c is
/// −weights[c] · log_prob[n, c, d…], and 0 where c is `ignore_index`; by default the mean, Σ loss / Σ weights.
///
/// <https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html>
enum SoftmaxCrossEntropyLoss: Operator {
    static let schema = Schema(
        "SoftmaxCrossEntropyLoss", versions: [12, 13],
        inputs: [
            Parameter("scores", "T", .floats), Parameter("labels", "Tind", .indices),
            Parameter("weights", "T", .floats, .optional),
        ],
        outputs: [Parameter("output", "T", .floats), Parameter("log_prob", "T", .floats, .optional)],
        attributes: [AttributeSpec("ignore_index", .int), AttributeSpec("reduction", .string)])

    static func infer(_ context: inout InferenceContext) throws {
        try context.inferClassLoss()
        context.set(1, try context.dataType(0), context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        try context.input(0).dataType.visitReal(Loops(context: context))
    }

    private struct Loops: RealVisitor {
        let context: PreparationContext

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            var layout = Workspace.Layout()
            let loss = try ClassLoss<T>(context, &layout)
            let logSlot = context.outputSlot(1)
            let loop = ParallelLoop(count: loss.positions, grain: max(16384 / max(loss.classes, 1), 1)) {
                frame, range in
                let scores = frame.input(0, as: T.self)
                if let logs = frame.output(slot: logSlot, as: T.self) {
                    for position in range {
                        let first = position / loss.inner * loss.classes * loss.inner + position % loss.inner
                        let column = Column(first: scores + first, classes: loss.classes, step: loss.inner)
                        for c in 0..<loss.classes {
                            let place = first + c * loss.inner
                            logs[place] = T(wide: column.logProbability(scores[place].wide))
                        }
                    }
                }
                loss.store(frame, range) { first, own in
                    let column = Column(first: scores + first, classes: loss.classes, step: loss.inner)
                    return -column.logProbability(scores[own].wide)
                }
            }
            var kernel = Kernel { frame in
                try loss.check(frame)
                loop.run(frame)
                loss.reduce(frame)
            }
            kernel.workspaceByteCount = layout.byteCount
            return kernel
        }
    }

    /// The classes' scores at one position: their largest, and ln Σ exp(score − largest).
    private struct Column<T: Real> {
        private let largest: T.Wide
        private let logSum: T.Wide

        init(first: UnsafePointer<T>, classes: Int, step: Int) {
            var largest = -T.Wide.infinity
            for c in 0..<classes { largest = max(largest, first[c * step].wide) }
            var sum = T.Wide.zero
            for c in 0..<classes { sum += T.Wide.exp(first[c * step].wide - largest) }
            self.largest = largest
            logSum = T.Wide.log(sum)
        }

        func logProbability(_ score: T.Wide) -> T.Wide { score - largest - logSum }
    }

    static let derivative: Derivative? = .definition { d in
        let logarithms = try d.x().apply("LogSoftmax", with: ["axis": .int(1)])
        return [try d.classLoss(of: -logarithms), logarithms]
    }

    static let examples = [
        Example(
            "the mean, and the logarithms of the probabilities",
            inputs: [
                Tensor(shape: [2, 2], scalars: [0, 0, 1, 3] as [Float]),
                Tensor(shape: [2], scalars: [0, 1] as [Int64]),
            ],
            outputs: [
                Tensor(0.41003757 as Float),
                Tensor(shape: [2, 2], scalars: [-0.6931472, -0.6931472, -2.126928, -0.126928] as [Float]),
            ], tolerance: 1e-6),
        Example(
            "weighted losses of positions, one ignored, in double",
            attributes: ["reduction": .string("none"), "ignore_index": .int(1)],
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [0, 1, 0, 3] as [Double]),
                Tensor(shape: [1, 2], scalars: [0, 1] as [Int32]),
                Tensor(shape: [2], scalars: [2, 3] as [Double]),
            ], outputs: [Tensor(shape: [1, 2], scalars: [1.3862943611198906, 0] as [Double])], tolerance: 1e-12),
    ]
}
