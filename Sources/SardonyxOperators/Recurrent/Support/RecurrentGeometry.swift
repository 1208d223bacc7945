import SardonyxGraph

/// Which way a recurrent layer goes through the steps.
enum RecurrentDirection: String {
    case forward, reverse, bidirectional

    init(_ node: Node) throws {
        let name = node.string("direction", default: "forward")
        guard let direction = RecurrentDirection(rawValue: name) else {
            throw SardonyxError(
                .invalidModel, "direction is '\(name)'; it must be forward, reverse or bidirectional")
        }
        self = direction
    }

    var count: Int { self == .bidirectional ? 2 : 1 }
}

/// The extents of a recurrent layer, and where things are in its tensors.
struct RecurrentGeometry: Sendable {
    let steps: Int
    let batch: Int
    let inputSize: Int
    let hidden: Int
    let directions: Int
    let isReverseOnly: Bool
    /// Layout 1: the batch axis comes first in X, Y and the states.
    let isBatchMajor: Bool

    init(_ context: PreparationContext) throws {
        let x = try context.input(0).shape
        isBatchMajor = context.node.int("layout", default: 0) == 1
        (steps, batch) = isBatchMajor ? (x[1], x[0]) : (x[0], x[1])
        inputSize = x[2]
        hidden = try context.input(2).shape[2]
        let direction = try RecurrentDirection(context.node)
        (directions, isReverseOnly) = (direction.count, direction == .reverse)
    }

    func isReversed(_ direction: Int) -> Bool { isReverseOnly || direction == 1 }

    /// The row of X, of `steps · batch`, that holds a step of the first batch element; next one `stepStride` rows on.
    func row(step: Int) -> Int { isBatchMajor ? step : step * batch }
    var batchRowStride: Int { isBatchMajor ? steps : 1 }

    /// The first batch element's place in Y, in elements.
    func outputOffset(step: Int, direction: Int) -> Int {
        (row(step: step) * directions + direction * outputUnit) * hidden
    }
    /// Rows of Y between two directions.
    private var outputUnit: Int { isBatchMajor ? 1 : batch }
    var outputBatchStride: Int { isBatchMajor ? steps * directions * hidden : hidden }

    /// The first batch element's place in a state, in elements.
    func stateOffset(direction: Int) -> Int { direction * (isBatchMajor ? 1 : batch) * hidden }
    var stateBatchStride: Int { isBatchMajor ? directions * hidden : hidden }
}

extension InferenceContext {
    /// Checks what all recurrent layers have in common and sets Y, Y_h and, with `hasCell`, Y_c.
    mutating func inferRecurrent(gates: Int, hasCell: Bool) throws {
        let type = try dataType(0)
        let directions = Dimension.fixed(try RecurrentDirection(node).count)
        let layout = node.int("layout", default: 0)
        guard layout == 0 || layout == 1 else {
            throw SardonyxError(.invalidModel, "layout is \(layout); it must be 0 or 1")
        }
        try requireRank(0, 3...3, "X")
        try requireRank(1, 3...3, "W")
        try requireRank(2, 3...3, "R")
        let x = shape(0) ?? [.unknown, .unknown, .unknown]
        var hidden = shape(2)?[2] ?? .unknown
        if let size = node.int("hidden_size") {
            guard size > 0 else { throw SardonyxError(.invalidModel, "hidden_size is \(size); it must be positive") }
            hidden = try hidden.agreeing(with: .fixed(size), "the last extent of R and hidden_size differ")
        }
        let (steps, batch) = layout == 0 ? (x[0], x[1]) : (x[1], x[0])
        let state = layout == 0 ? [directions, batch, hidden] : [batch, directions, hidden]
        let gateRows = Dimension.fixed(gates) * hidden
        try requireShape(1, [directions, gateRows, x[2]], "W")
        try requireShape(2, [directions, gateRows, hidden], "R")
        try requireShape(3, [directions, .fixed(2) * gateRows], "B")
        try requireShape(4, [batch], "sequence_lens")
        try requireShape(5, state, "initial_h")
        if hasCell {
            try requireShape(6, state, "initial_c")
            try requireShape(7, [directions, .fixed(3) * hidden], "P")
        }
        set(0, type, layout == 0 ? [steps, directions, batch, hidden] : [batch, steps, directions, hidden])
        set(1, type, state)
        if hasCell { set(2, type, state) }
    }

    /// Refuses an input whose known extents are not the expected ones.
    private func requireShape(_ input: Int, _ expected: SymbolicShape, _ name: String) throws {
        guard let shape = shape(input) else { return }
        let fits =
            shape.count == expected.count
            && zip(shape, expected).allSatisfy { mine, wanted in
                guard let mine = mine.value, let wanted = wanted.value else { return true }
                return mine == wanted
            }
        guard fits else {
            throw SardonyxError(.invalidModel, "\(name) has the shape \(shape.text); it must be \(expected.text)")
        }
    }
}
