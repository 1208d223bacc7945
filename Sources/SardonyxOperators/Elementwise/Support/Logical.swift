import SardonyxGraph

/// An operator on truth values, with numpy's broadcasting.
protocol Logical: Operator {
    static func apply(_ a: Bool, _ b: Bool) -> Bool
}

extension Logical {
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftLegacyBroadcast(opset: opset, in: &lifting)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = LogicalFunction<Self>.kernel(try context.broadcastPair())
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }
}

/// Truth values are bytes here: files may hold others than 0 and 1.
private enum LogicalFunction<Op: Logical>: BinaryFunction {
    @inline(__always) static func apply(_ a: UInt8, _ b: UInt8) -> UInt8 { Op.apply(a != 0, b != 0) ? 1 : 0 }
}
