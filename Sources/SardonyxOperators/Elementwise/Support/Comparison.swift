import SardonyxGraph

/// An operator that compares elements of the same type, with numpy's broadcasting. Every comparison with NaN is false.
protocol Comparison: Operator {
    static func apply<T: Number>(_ a: T, _ b: T) -> Bool
}

extension Comparison {
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftLegacyBroadcast(opset: opset, in: &lifting)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll(as: .bool) }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try context.input(0).dataType.visitNumber(
            ComparisonVisitor<Self>(broadcast: context.broadcastPair()))
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }
}

private struct ComparisonVisitor<Op: Comparison>: NumberVisitor {
    let broadcast: Broadcast

    func visit<T: Number>(_ type: T.Type) throws -> Kernel { Function<T>.kernel(broadcast) }

    private enum Function<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> UInt8 { Op.apply(a, b) ? 1 : 0 }
    }
}
