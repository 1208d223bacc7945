import SardonyxGraph

/// How the losses of all positions become the output.
enum LossReduction: String, Sendable {
    case none, sum, mean

    init(_ node: Node) throws {
        let name = node.string("reduction", default: "mean")
        guard let reduction = LossReduction(rawValue: name) else {
            throw SardonyxError(.invalidModel, "reduction is '\(name)'; it must be none, sum or mean")
        }
        self = reduction
    }
}

/// What losses over classes share. Input 0 is [N, C, d…], input 1 the classes [N, d…], input 2 a weight for each class.
///
/// The loss of a position is w · l, with w the weight of its class, or 0 for `ignore_index`; the mean is Σ w·l / Σ w.
struct ClassLoss<T: Real>: Sendable {
    let reduction: LossReduction
    let classes: Int
    /// Positions of one batch element.
    let inner: Int
    let positions: Int
    private let ignored: Int?
    private let weightSlot: Int?
    private let outputSlot: Int?
    private let hasWideTargets: Bool
    /// The workspace's weighted losses, where they are reduced.
    private let lossesOffset: Int

    init(_ context: PreparationContext, _ layout: inout Workspace.Layout) throws {
        let (scores, targets) = (try context.input(0).shape, try context.input(1))
        reduction = try LossReduction(context.node)
        (classes, inner, positions) = (scores[1], scores[2...].elementCount, targets.elementCount)
        ignored = context.node.int("ignore_index")
        weightSlot = context.inputSlot(2)
        outputSlot = context.outputSlot(0)
        hasWideTargets = targets.dataType == .int64
        lossesOffset = reduction == .none ? 0 : layout.reserve(positions, of: T.Wide.self)
    }

    @inline(__always)
    private func target(_ frame: Frame, _ position: Int) -> Int {
        hasWideTargets ? Int(frame.input(1, as: Int64.self)[position]) : Int(frame.input(1, as: Int32.self)[position])
    }

    /// Refuses classes that are neither in range nor ignored.
    func check(_ frame: Frame) throws {
        for position in 0..<positions {
            let target = target(frame, position)
            guard target >= 0 && target < classes || target == ignored else {
                throw SardonyxError(
                    .invalidValue, "class \(target) at position \(position) is outside [0, \(classes - 1)]")
            }
        }
    }

    /// Stores the losses of some positions. `loss` gets the place of the position's first class and that of its own.
    @inline(__always)
    func store(_ frame: Frame, _ range: Range<Int>, _ loss: (_ first: Int, _ own: Int) -> T.Wide) {
        let output = reduction == .none ? frame.output(slot: outputSlot, as: T.self) : nil
        let losses = reduction == .none ? nil : frame.scratch(lossesOffset, as: T.Wide.self)
        for position in range {
            let target = target(frame, position)
            var value = T.Wide.zero
            if target != ignored {
                let first = position / inner * classes * inner + position % inner
                value = weight(frame, target) * loss(first, first + target * inner)
            }
            output?[position] = T(wide: value)
            losses?[position] = value
        }
    }

    @inline(__always)
    private func weight(_ frame: Frame, _ target: Int) -> T.Wide {
        if target == ignored { return 0 }
        return frame.input(slot: weightSlot, as: T.self)?[target].wide ?? 1
    }

    /// Sums up what was stored.
    func reduce(_ frame: Frame) {
        guard reduction != .none, let output = frame.output(slot: outputSlot, as: T.self) else { return }
        let losses = frame.scratch(lossesOffset, as: T.Wide.self)
        var (sum, weights) = (0.0, 0.0)
        for position in 0..<positions {
            sum += losses[position].double
            weights += weight(frame, target(frame, position)).double
        }
        output.pointee = T.converting(reduction == .mean ? sum / weights : sum)
    }
}

extension InferenceContext {
    /// Checks the inputs of a loss over classes and sets the loss.
    mutating func inferClassLoss() throws {
        let type = try dataType(0)
        let reduction = try LossReduction(node)
        var positions = shape(1)
        if let scores = shape(0) {
            guard scores.count >= 2 else {
                throw SardonyxError(.invalidModel, "the scores must have 2 axes or more; they have \(scores.text)")
            }
            let expected = [scores[0]] + scores[2...]
            if let targets = positions {
                guard targets.count == expected.count else {
                    throw SardonyxError(
                        .invalidModel,
                        "the classes have the shape \(targets.text); it must be \(SymbolicShape(expected).text)")
                }
                positions = try zip(targets, expected).map {
                    try $0.agreeing(with: $1, "the scores' and the classes' extents differ")
                }
            } else {
                positions = expected
            }
            if let weights = shape(2) {
                guard weights.count == 1 else {
                    throw SardonyxError(.invalidModel, "the weights must have 1 axis; they have \(weights.text)")
                }
                _ = try weights[0].agreeing(with: scores[1], "the numbers of weights and of classes differ")
            }
        }
        set(0, type, reduction == .none ? positions : [])
    }
}

extension Derivation {
    /// The node's result from the loss of each class, [N, C, d…].
    func classLoss(of losses: Term) throws -> Term {
        let targets = try x(1)
        let isCounted = try node.int("ignore_index").map { ignored in
            try targets.isEqual(to: targets.number(Double(ignored))).apply("Not")
        }
        let classes = try isCounted.map { try $0.choose(targets, else: targets.number(0)) } ?? targets
        let own = try losses.apply("GatherElements", classes.unsqueezed([1]), with: ["axis": .int(1)]).squeezed([1])
        var weights = try optionalInput(2)?.apply("Gather", classes) ?? own.ones()
        if let isCounted { weights = try weights.kept(where: isCounted) }
        let weighted = try own * weights
        let all = ["keepdims": Attribute.int(0)]
        return switch try LossReduction(node) {
        case .none: weighted
        case .sum: try weighted.apply("ReduceSum", with: all)
        case .mean: try weighted.apply("ReduceSum", with: all) / weights.apply("ReduceSum", with: all)
        }
    }
}
