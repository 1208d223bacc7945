import SardonyxGraph

/// An operator on the bits of integers of the same type, with numpy's broadcasting.
protocol Bitwise: Operator {
    static func apply<T: FixedWidthInteger>(_ a: T, _ b: T) -> T
}

extension Bitwise {
    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let broadcast = try context.broadcastPair()
        // Signs make no difference to bits.
        var kernel =
            switch try context.input(0).dataType.byteCount {
            case 1: BitwiseFunction<Self, UInt8>.kernel(broadcast)
            case 2: BitwiseFunction<Self, UInt16>.kernel(broadcast)
            case 4: BitwiseFunction<Self, UInt32>.kernel(broadcast)
            default: BitwiseFunction<Self, UInt64>.kernel(broadcast)
            }
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }
}

private enum BitwiseFunction<Op: Bitwise, T: FixedWidthInteger & BitwiseCopyable>: BinaryFunction {
    @inline(__always) static func apply(_ a: T, _ b: T) -> T { Op.apply(a, b) }
}
