import SardonyxGraph

/// output = condition ? x : y, with numpy's broadcasting of all three.
///
/// <https://onnx.ai/onnx/operators/onnx__Where.html>
enum Where: Operator {
    private static let types: TypeSet = .numbers + [.bool, .complex64, .complex128, .string]

    static let schema = Schema(
        "Where", versions: [9, 16],
        inputs: [Parameter("condition", "B", [.bool]), Parameter("X", "T", types), Parameter("Y", "T", types)],
        outputs: [Parameter("output", "T", types)])

    static let execution = Execution.movesElements

    static func infer(_ context: inout InferenceContext) throws {
        try context.broadcastAll(as: try context.dataType(1))
        context.combineElements { operands in
            switch operands[0] {
            case .fixed(0): operands[2]
            case .fixed: operands[1]
            default: operands[1] == operands[2] ? operands[1] : .unknown
            }
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        let broadcast = Broadcast(try (0..<3).map { try context.input($0).shape }, to: output.shape)
        var kernel = try output.dataType.visitElement(Selection(broadcast: broadcast))
        kernel.inPlace = [0: try context.overwritableInputs(3)]
        return kernel
    }

    private struct Selection: ElementVisitor {
        let broadcast: Broadcast

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let broadcast = broadcast
            return Kernel { frame in
                Work<T>(
                    condition: frame.input(0), x: frame.input(1), y: frame.input(2), output: frame.output(0),
                    broadcast: broadcast
                ).run(count: broadcast.count, on: frame.pool)
            }
        }
    }

    private struct Work<T: BitwiseCopyable>: ChunkedWork {
        let condition: UnsafePointer<UInt8>
        let x: UnsafePointer<T>
        let y: UnsafePointer<T>
        let output: UnsafeMutablePointer<T>
        let broadcast: Broadcast

        func run(_ range: Range<Int>) {
            let moves = (broadcast.moves(0), broadcast.moves(1), broadcast.moves(2))
            broadcast.forEachStretch(in: range) { position, offsets, count in
                let (c, x, y) = (condition + offsets.0, x + offsets.1, y + offsets.2)
                let output = output + position
                // A loop for each case, which loads whatever the condition says: compilers make vectors of these.
                switch moves {
                case (true, true, true):
                    for i in 0..<count {
                        let (a, b) = (x[i], y[i])
                        output[i] = c[i] != 0 ? a : b
                    }
                case (true, true, false):
                    let b = y[0]
                    for i in 0..<count {
                        let a = x[i]
                        output[i] = c[i] != 0 ? a : b
                    }
                case (true, false, true):
                    let a = x[0]
                    for i in 0..<count {
                        let b = y[i]
                        output[i] = c[i] != 0 ? a : b
                    }
                case (true, false, false):
                    let (a, b) = (x[0], y[0])
                    for i in 0..<count { output[i] = c[i] != 0 ? a : b }
                case (false, let xMoves, let yMoves):
                    let (source, sourceMoves) = c[0] != 0 ? (x, xMoves) : (y, yMoves)
                    if sourceMoves {
                        output.update(from: source, count: count)
                    } else {
                        output.update(repeating: source[0], count: count)
                    }
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (condition, dy) = (try d.x(0), try d.dy())
        try d.setSummed(1) { try dy.kept(where: condition) }
        try d.setSummed(2) { try condition.choose(dy.number(0), else: dy) }
    }

    static let examples = [
        Example(
            "a number where the condition is false",
            inputs: [
                Tensor(shape: [2, 2], scalars: [true, false, true, true]),
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]), Tensor(0 as Float),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 0, 3, 4] as [Float])]),
        Example(
            "a number where the condition is true",
            inputs: [
                Tensor(shape: [3], scalars: [true, false, true]), Tensor(0 as Int64),
                Tensor(shape: [3], scalars: [1, 2, 3] as [Int64]),
            ],
            outputs: [Tensor(shape: [3], scalars: [0, 2, 0] as [Int64])]),
        Example(
            "one of two numbers",
            inputs: [
                Tensor(shape: [3], scalars: [true, false, true]), Tensor(1 as Float),
                Tensor(shape: [1], scalars: [-1 as Float]),
            ],
            outputs: [Tensor(shape: [3], scalars: [1, -1, 1] as [Float])]),
        Example(
            "rows of one or a number",
            inputs: [
                Tensor(shape: [3, 1], scalars: [true, false, true]),
                Tensor(shape: [3, 2], scalars: [1, 2, 3, 4, 5, 6] as [Float]), Tensor(0 as Float),
            ],
            outputs: [Tensor(shape: [3, 2], scalars: [1, 2, 0, 0, 5, 6] as [Float])]),
        Example(
            "strings",
            inputs: [
                Tensor(shape: [2], scalars: [true, false]), Tensor(shape: [1], strings: ["yes"]),
                Tensor(shape: [2], strings: ["a", "b"]),
            ],
            outputs: [Tensor(shape: [2], strings: ["yes", "b"])]),
    ]
}
