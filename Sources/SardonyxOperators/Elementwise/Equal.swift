import SardonyxGraph

/// c = (a == b), with numpy's broadcasting; NaN equals nothing. Strings compare by their bytes.
///
/// <https://onnx.ai/onnx/operators/onnx__Equal.html>
enum Equal: Operator {
    static let schema = Schema.binary(
        "Equal", versions: [1, 7, 11, 13, 19], types: .numbers + [.bool, .string], result: [.bool])

    static let execution = Execution.movesElements

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftLegacyBroadcast(opset: opset, in: &lifting)
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.broadcastAll(as: .bool)
        context.combineElements { $0[0].isEqual(to: $0[1]) }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let broadcast = try context.broadcastPair()
        var kernel =
            switch try context.input(0).dataType {
            case .bool: Truths.kernel(broadcast)
            // Equal strings have equal numbers.
            case .string: Numbers<UInt64>.kernel(broadcast)
            case let type: try type.visitNumber(Visitor(broadcast: broadcast))
            }
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }

    private struct Visitor: NumberVisitor {
        let broadcast: Broadcast
        func visit<T: Number>(_ type: T.Type) throws -> Kernel { Numbers<T>.kernel(broadcast) }
    }

    private enum Numbers<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> UInt8 { a == b ? 1 : 0 }
    }

    private enum Truths: BinaryFunction {
        @inline(__always) static func apply(_ a: UInt8, _ b: UInt8) -> UInt8 { (a != 0) == (b != 0) ? 1 : 0 }
    }

    static let examples = [
        Example(
            "numbers", inputs: [Tensor(shape: [3], scalars: [1, 2, .nan] as [Float]), Tensor(2 as Float)],
            outputs: [Tensor(shape: [3], scalars: [false, true, false])]),
        Example(
            "strings", inputs: [Tensor(shape: [2], strings: ["a", "b"]), Tensor(shape: [2], strings: ["a", "c"])],
            outputs: [Tensor(shape: [2], scalars: [true, false])]),
    ]
}
