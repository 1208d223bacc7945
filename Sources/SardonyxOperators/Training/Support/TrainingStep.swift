import SardonyxGraph

/// An operator that takes one step of an optimisation, for any number of tensors at once.
///
/// The inputs are the learning rate R, the count of updates T, all tensors X, all gradients G of theirs, and then one group of
/// tensors for each kind of history; the outputs are the new X and the new histories.
protocol TrainingStep: Operator {
    /// How many kinds of history there are, 1 or 2.
    static var histories: Int { get }
    /// The attributes' numbers, and what follows from them and from R and T.
    static func factors(of node: Node) throws -> StepFactors<Double>
    static func prepare(_ factors: inout StepFactors<Double>, rate: Double, count: Double)
    /// One element's new value and histories; `second` is 0 where there is one history only.
    static func step<T: RealMath>(_ x: T, _ gradient: T, first: T, second: T, _ factors: StepFactors<T>)
        -> (x: T, first: T, second: T)
}

/// The numbers of a step, the same for all elements. Each operator uses those that its formula has.
struct StepFactors<T: RealMath>: Sendable {
    var rate: T = 0
    var norm: T = 0
    var alpha: T = 0
    var beta: T = 0
    var epsilon: T = 0
    /// What the new value is multiplied with at the end.
    var kept: T = 1

    init() {}

    init(_ other: StepFactors<Double>) {
        rate = T(other.rate)
        norm = T(other.norm)
        alpha = T(other.alpha)
        beta = T(other.beta)
        epsilon = T(other.epsilon)
        kept = T(other.kept)
    }
}

extension TrainingStep {
    static func stepSchema(_ name: String, attributes: [AttributeSpec]) -> Schema {
        let types: TypeSet = [.float, .double]
        return Schema(
            name, domain: "ai.onnx.preview.training", versions: [1],
            inputs: [
                Parameter("R", "T1", types), Parameter("T", "T2", [.int64]),
                Parameter("inputs", "T3", types, .variadic, isHomogeneous: false),
            ], outputs: [Parameter("outputs", "T3", types, .variadic, isHomogeneous: false)], attributes: attributes)
    }

    /// How many tensors are optimised.
    private static func tensorCount(_ node: Node) throws -> Int {
        let groups = 2 + histories
        let inputs = node.inputs.count - 2
        guard inputs > 0, inputs % groups == 0, node.inputs.allSatisfy({ $0 != nil }) else {
            throw SardonyxError(
                .invalidModel,
                "there are \(max(inputs, 0)) tensors after R and T; they must be \(groups) groups of the same number: tensors, "
                    + "gradients and \(histories == 1 ? "history" : "two histories")")
        }
        let count = inputs / groups
        guard node.outputs.count <= count * (1 + histories) else {
            throw SardonyxError(
                .invalidModel,
                "there are \(node.outputs.count) outputs; \(count) tensors have \(count * (1 + histories))")
        }
        return count
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try factors(of: context.node)
        let count = try tensorCount(context.node)
        for (input, name) in [(0, "R"), (1, "T")] {
            if let shape = context.shape(input), shape.contains(where: { $0.value.map { $0 != 1 } ?? false }) {
                throw SardonyxError(.invalidModel, "'\(name)' must be a scalar; its shape is \(shape.text)")
            }
        }
        for tensor in 0..<count {
            let type = try context.dataType(2 + tensor)
            var shape = context.shape(2 + tensor)
            for group in 1..<2 + histories {
                let other = 2 + group * count + tensor
                let otherType = try context.dataType(other)
                guard otherType == type else {
                    throw SardonyxError(
                        .invalidModel, "input \(other) is \(otherType.name); tensor \(tensor) is \(type.name)")
                }
                guard let mine = shape, let its = context.shape(other) else {
                    shape = shape ?? context.shape(other)
                    continue
                }
                guard mine.count == its.count else {
                    throw SardonyxError(
                        .invalidModel, "input \(other) is \(its.text); tensor \(tensor) is \(mine.text)")
                }
                shape = try zip(mine, its).map { mine, its in
                    try mine.agreeing(with: its, "tensor \(tensor) and input \(other) must have the same shape")
                }
            }
            for group in 0..<1 + histories { context.set(group * count + tensor, type, shape) }
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let count = try tensorCount(context.node)
        let factors = try factors(of: context.node)
        let rateType = try context.input(0).dataType
        let steps = try (0..<count).map { tensor in
            let spec = try context.input(2 + tensor)
            return try spec.dataType.visitReal(
                StepVisitor<Self>(
                    tensor: tensor, count: count, elements: spec.elementCount,
                    outputs: (0..<1 + histories).map { context.outputSlot($0 * count + tensor) }))
        }
        let rate = RealOperand(slot: 0, type: rateType)
        var kernel = Kernel { frame in
            var factors = factors
            prepare(&factors, rate: rate(frame, 0), count: Double(frame.input(1, as: Int64.self)[0]))
            for step in steps { step(frame, factors) }
        }
        // With more tensors, one step would overwrite what a later one reads where both are given the same value.
        if count == 1 {
            for output in 0..<1 + histories { kernel.inPlace[output] = [output == 0 ? 2 : 3 + output] }
        }
        return kernel
    }
}

/// The step of one of the tensors.
private struct StepVisitor<Op: TrainingStep>: RealVisitor {
    let tensor: Int
    let count: Int
    let elements: Int
    let outputs: [Int?]

    func visit<T: Real>(_ type: T.Type) throws -> @Sendable (Frame, StepFactors<Double>) -> Void {
        let (first, second) = (2 + 2 * count + tensor, Op.histories == 2 ? 2 + 3 * count + tensor : nil)
        let (x, gradient, elements) = (2 + tensor, 2 + count + tensor, elements)
        let (newX, newFirst, newSecond) = (outputs[0], outputs[1], outputs.count > 2 ? outputs[2] : nil)
        return { frame, factors in
            Work<T>(
                x: frame.input(x), gradient: frame.input(gradient), first: frame.input(first),
                second: frame.input(slot: second), newX: frame.output(slot: newX),
                newFirst: frame.output(slot: newFirst),
                newSecond: frame.output(slot: newSecond), factors: StepFactors<T.Wide>(factors)
            ).run(count: elements, on: frame.pool)
        }
    }

    private struct Work<T: Real>: ChunkedWork {
        let x: UnsafePointer<T>
        let gradient: UnsafePointer<T>
        let first: UnsafePointer<T>
        let second: UnsafePointer<T>?
        let newX: UnsafeMutablePointer<T>?
        let newFirst: UnsafeMutablePointer<T>?
        let newSecond: UnsafeMutablePointer<T>?
        let factors: StepFactors<T.Wide>

        func run(_ range: Range<Int>) {
            for i in range {
                let new = Op.step(
                    x[i].wide, gradient[i].wide, first: first[i].wide, second: second?[i].wide ?? 0, factors)
                newX?[i] = T(wide: new.x)
                newFirst?[i] = T(wide: new.first)
                newSecond?[i] = T(wide: new.second)
            }
        }
    }
}
