import SardonyxGraph

/// z = x shifted by y bits to the left or right, with numpy's broadcasting.
///
/// A right shift of a signed integer fills with its sign. Shifts by a negative number or by all of x's bits give what
/// remains: 0, or -1 for a right shift of a negative x.
/// <https://onnx.ai/onnx/operators/onnx__BitShift.html>
enum BitShift: Operator {
    static let schema = Schema.binary(
        "BitShift", versions: [11, 28], types: .integers, inputs: ("X", "Y"), output: "Z",
        attributes: [AttributeSpec("direction", .string, required: true)])

    static func infer(_ context: inout InferenceContext) throws {
        _ = try isLeft(context.node)
        try context.broadcastAll()
    }

    private static func isLeft(_ node: Node) throws -> Bool {
        switch node.string("direction") {
        case "LEFT": return true
        case "RIGHT": return false
        case let other:
            throw SardonyxError(.invalidModel, "attribute 'direction' is '\(other ?? "")'; it may be 'LEFT' or 'RIGHT'")
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try context.input(0).dataType.visitInteger(
            Shift(broadcast: context.broadcastPair(), isLeft: isLeft(context.node)))
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }

    private struct Shift: IntegerVisitor {
        let broadcast: Broadcast
        let isLeft: Bool

        func visit<T: Number & FixedWidthInteger>(_ type: T.Type) throws -> Kernel {
            isLeft ? Left<T>.kernel(broadcast) : Right<T>.kernel(broadcast)
        }
    }

    private enum Left<T: FixedWidthInteger & BitwiseCopyable>: BinaryFunction {
        @inline(__always) static func apply(_ x: T, _ y: T) -> T { y >= 0 && y < T.bitWidth ? x &<< y : 0 }
    }

    private enum Right<T: FixedWidthInteger & BitwiseCopyable>: BinaryFunction {
        @inline(__always) static func apply(_ x: T, _ y: T) -> T {
            if y >= 0 && y < T.bitWidth { return x &>> y }
            return x < 0 ? ~0 : 0
        }
    }

    static let examples = [
        Example(
            "to the right", attributes: ["direction": .string("RIGHT")],
            inputs: [
                Tensor(shape: [3], scalars: [16, 4, 1] as [UInt8]), Tensor(shape: [3], scalars: [1, 2, 9] as [UInt8]),
            ],
            outputs: [Tensor(shape: [3], scalars: [8, 1, 0] as [UInt8])]),
        Example(
            "a signed right shift", attributes: ["direction": .string("RIGHT")],
            inputs: [
                Tensor(shape: [3], scalars: [-8, 8, -8] as [Int32]),
                Tensor(shape: [3], scalars: [1, 1, 40] as [Int32]),
            ],
            outputs: [Tensor(shape: [3], scalars: [-4, 4, -1] as [Int32])]),
    ]
}
