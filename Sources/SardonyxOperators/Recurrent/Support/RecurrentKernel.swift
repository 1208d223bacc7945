import CKernels
import SardonyxGraph

/// What sets LSTM, GRU and RNN apart: their products with the last state, and what becomes of them.
protocol RecurrentCell<Element>: Sendable {
    associatedtype Element: MatrixNumber

    /// The gates that each product with a state makes, as parts of R.
    var products: [Range<Int>] { get }
    /// Whether the recurrent biases are not simply added to the input's.
    var keepsRecurrentBias: Bool { get }
    /// Elements of scratch memory for each batch element and hidden unit.
    var scratchFactor: Int { get }
    var hasCellState: Bool { get }

    /// Makes the next states of one step.
    func run(_ step: RecurrentStep<Element>)
}

/// One step of one direction, for the whole batch. States are dense, [batch, hidden].
struct RecurrentStep<T: MatrixNumber> {
    let frame: Frame
    let direction: Int
    let batch: Int
    let hidden: Int
    /// X · Wᵀ with biases, for this step: a row for each batch element.
    let projected: UnsafePointer<T>
    let projectedStride: Int
    let previousState: UnsafePointer<T>
    let state: UnsafeMutablePointer<T>
    let previousCell: UnsafePointer<T>
    let cell: UnsafeMutablePointer<T>
    let scratch: UnsafeMutablePointer<T>
    /// Rb of this direction, when the cell keeps it.
    let recurrentBias: UnsafePointer<T>?
    fileprivate let matrices: [PackedMatrix<T>]
    fileprivate let firstMatrix: Int
    fileprivate let productWorkspace: UnsafeMutableRawPointer?

    /// result[b, j] = Σₖ state[b, k] · R[j, k] + bias[j] + addend[b, j] over the gates of a product.
    func multiply(
        _ product: Int, _ state: UnsafePointer<T>, into result: UnsafeMutablePointer<T>,
        bias: UnsafePointer<T>? = nil, addend: UnsafePointer<T>? = nil
    ) {
        let matrix = matrices[firstMatrix + product]
        T.run(
            PackedProduct(
                m: batch, n: matrix.n, k: hidden, a: state, b: matrix.packed(frame), c: result, bias: bias,
                addend: addend, addendStride: projectedStride),
            workspace: productWorkspace, pool: frame.pool)
    }
}

/// The run of a recurrent layer: one product for all inputs of a direction, then step by step.
struct RecurrentKernel<Cell: RecurrentCell>: Sendable {
    private typealias T = Cell.Element

    private let geometry: RecurrentGeometry
    /// One for each direction.
    private let cells: [Cell]
    private let gates: Int
    private let inputMatrices: [PackedMatrix<Cell.Element>]
    /// Those of the first direction, then those of the second.
    private let stateMatrices: [PackedMatrix<Cell.Element>]
    private let biasSlot: Int?
    private let lengthSlot: Int?
    private let stateSlots: (initial: Int?, last: Int?)
    private let cellSlots: (initial: Int?, last: Int?)
    private let outputSlot: Int?

    private let projectedOffset: Int
    private let biasOffset: Int
    /// Two states and two cell states, dense.
    private let statesOffset: Int
    private let scratchOffset: Int
    private let productOffset: Int
    private let workspaceByteCount: Int

    init(_ context: PreparationContext, gates: Int, cells: [Cell]) throws {
        let geometry = try RecurrentGeometry(context)
        (self.geometry, self.gates, self.cells) = (geometry, gates, cells)
        let (hidden, rows) = (geometry.hidden, gates * geometry.hidden)
        var layout = Workspace.Layout()
        inputMatrices = try (0..<geometry.directions).map {
            try PackedMatrix(
                context, input: 1, start: $0 * rows * geometry.inputSize, k: geometry.inputSize, n: rows, &layout)
        }
        stateMatrices = try cells.enumerated().flatMap { direction, cell in
            try cell.products.map {
                try PackedMatrix(
                    context, input: 2, start: (direction * rows + $0.lowerBound * hidden) * hidden, k: hidden,
                    n: $0.count * hidden, &layout)
            }
        }
        biasSlot = context.inputSlot(3)
        lengthSlot = context.inputSlot(4)
        let hasCell = cells[0].hasCellState
        stateSlots = (context.inputSlot(5), context.outputSlot(1))
        cellSlots = hasCell ? (context.inputSlot(6), context.outputSlot(2)) : (nil, nil)
        outputSlot = context.outputSlot(0)

        let size = geometry.batch * hidden
        projectedOffset = layout.reserve(try Self.size(geometry.steps, geometry.batch, rows), of: Cell.Element.self)
        biasOffset = layout.reserve(rows, of: Cell.Element.self)
        statesOffset = layout.reserve(4 * size, of: Cell.Element.self)
        scratchOffset = layout.reserve(size * cells[0].scratchFactor, of: Cell.Element.self)
        let projection = try inputMatrices[0].productByteCount(
            m: geometry.steps * geometry.batch, workers: context.workers)
        productOffset = layout.reserve(
            try stateMatrices.reduce(projection) {
                max($0, try $1.productByteCount(m: geometry.batch, workers: context.workers))
            })
        workspaceByteCount = layout.byteCount
    }

    private static func size(_ extents: Int...) throws -> Int {
        guard let count = extents.checkedElementCount, count < Int.max / 64 else {
            throw SardonyxError(.memory, "the products of \(extents) are too large")
        }
        return count
    }

    func kernel(_ context: PreparationContext) -> Kernel {
        let layer = self
        var kernel = Kernel { try layer.run($0) }
        kernel.workspaceByteCount = workspaceByteCount
        kernel.packedWeights = (inputMatrices + stateMatrices).compactMap(\.storage)
        kernel.absorbedInputs = Set([1, 2].filter { context.constant($0) != nil })
        let perRow = gates &* geometry.hidden &* (geometry.inputSize &+ geometry.hidden)
        kernel.multiplyAdds = geometry.directions &* geometry.steps &* geometry.batch &* perRow
        return kernel
    }

    private func run(_ frame: Frame) throws {
        let lengths = try checkedLengths(frame)
        for matrix in inputMatrices { matrix.packIfNeeded(frame) }
        for matrix in stateMatrices { matrix.packIfNeeded(frame) }
        for direction in 0..<geometry.directions {
            project(frame, direction)
            runSteps(frame, direction, lengths)
        }
    }

    private func checkedLengths(_ frame: Frame) throws -> UnsafePointer<Int32>? {
        guard let lengths = frame.input(slot: lengthSlot, as: Int32.self) else { return nil }
        for b in 0..<geometry.batch where lengths[b] < 0 || lengths[b] > geometry.steps {
            throw SardonyxError(
                .invalidValue, "sequence_lens[\(b)] is \(lengths[b]), which is outside [0, \(geometry.steps)]")
        }
        return lengths
    }

    /// X · Wᵀ and the biases, for all steps.
    private func project(_ frame: Frame, _ direction: Int) {
        let matrix = inputMatrices[direction]
        var bias: UnsafePointer<T>?
        if let input = frame.input(slot: biasSlot, as: T.self).map({ $0 + direction * 2 * matrix.n }) {
            bias = input
            if !cells[direction].keepsRecurrentBias {
                let sum = frame.scratch(biasOffset, as: T.self)
                for j in 0..<matrix.n { sum[j] = input[j] + input[matrix.n + j] }
                bias = UnsafePointer(sum)
            }
        }
        T.run(
            PackedProduct(
                m: geometry.steps * geometry.batch, n: matrix.n, k: matrix.k, a: frame.input(0, as: T.self),
                b: matrix.packed(frame), c: frame.scratch(projectedOffset, as: T.self), bias: bias),
            workspace: productWorkspace(frame), pool: frame.pool)
    }

    private func productWorkspace(_ frame: Frame) -> UnsafeMutableRawPointer? {
        frame.workspace.map { $0 + productOffset }
    }

    private func runSteps(_ frame: Frame, _ direction: Int, _ lengths: UnsafePointer<Int32>?) {
        let (batch, hidden) = (geometry.batch, geometry.hidden)
        let size = batch * hidden
        let states = frame.scratch(statesOffset, as: T.self)
        var (previous, next) = (states, states + size)
        var (previousCell, nextCell) = (states + 2 * size, states + 3 * size)
        load(frame.input(slot: stateSlots.initial, as: T.self), direction, into: previous)
        load(frame.input(slot: cellSlots.initial, as: T.self), direction, into: previousCell)
        let output = frame.output(slot: outputSlot, as: T.self)
        let recurrentBias = frame.input(slot: biasSlot, as: T.self).map {
            $0 + (2 * direction + 1) * gates * hidden
        }
        let cell = cells[direction]
        for turn in 0..<geometry.steps {
            let step = geometry.isReversed(direction) ? geometry.steps - 1 - turn : turn
            let row = geometry.row(step: step)
            cell.run(
                RecurrentStep(
                    frame: frame, direction: direction, batch: batch, hidden: hidden,
                    projected: frame.scratch(projectedOffset, as: T.self) + row * gates * hidden,
                    projectedStride: geometry.batchRowStride * gates * hidden, previousState: previous, state: next,
                    previousCell: previousCell, cell: nextCell, scratch: frame.scratch(scratchOffset, as: T.self),
                    recurrentBias: cell.keepsRecurrentBias ? recurrentBias : nil, matrices: stateMatrices,
                    firstMatrix: direction * cell.products.count, productWorkspace: productWorkspace(frame)))
            if let lengths {
                // Beyond its length a sequence keeps its state; going backwards it keeps the initial one until then.
                for b in 0..<batch where step >= lengths[b] {
                    (next + b * hidden).update(from: previous + b * hidden, count: hidden)
                    (nextCell + b * hidden).update(from: previousCell + b * hidden, count: hidden)
                }
            }
            if let output {
                let start = output + geometry.outputOffset(step: step, direction: direction)
                for b in 0..<batch {
                    let target = start + b * geometry.outputBatchStride
                    if let lengths, step >= lengths[b] {
                        target.update(repeating: 0, count: hidden)
                    } else {
                        target.update(from: next + b * hidden, count: hidden)
                    }
                }
            }
            swap(&previous, &next)
            swap(&previousCell, &nextCell)
        }
        store(previous, direction, lengths, into: frame.output(slot: stateSlots.last, as: T.self))
        store(previousCell, direction, lengths, into: frame.output(slot: cellSlots.last, as: T.self))
    }

    private func load(_ initial: UnsafePointer<T>?, _ direction: Int, into state: UnsafeMutablePointer<T>) {
        guard let initial else { return state.update(repeating: 0, count: geometry.batch * geometry.hidden) }
        let start = initial + geometry.stateOffset(direction: direction)
        for b in 0..<geometry.batch {
            (state + b * geometry.hidden).update(from: start + b * geometry.stateBatchStride, count: geometry.hidden)
        }
    }

    private func store(
        _ state: UnsafePointer<T>, _ direction: Int, _ lengths: UnsafePointer<Int32>?,
        into last: UnsafeMutablePointer<T>?
    ) {
        guard let last else { return }
        let start = last + geometry.stateOffset(direction: direction)
        for b in 0..<geometry.batch {
            let target = start + b * geometry.stateBatchStride
            if let lengths, lengths[b] == 0 {
                // As ONNX Runtime has it: a sequence without elements leaves no state.
                target.update(repeating: 0, count: geometry.hidden)
            } else {
                target.update(from: state + b * geometry.hidden, count: geometry.hidden)
            }
        }
    }
}

extension PreparationContext {
    /// Makes a recurrent layer's kernel: float and double multiply in themselves, half types in float.
    func recurrent(
        float: (PreparationContext) throws -> Kernel, double: (PreparationContext) throws -> Kernel
    ) throws -> Kernel {
        let type = try input(0).dataType
        switch type {
        case .float16, .bfloat16: return try throughFloat(float)
        case .float: return try float(self)
        case .double: return try double(self)
        default: throw type.unsupported
        }
    }
}
