import SardonyxGraph

/// c = a - ⌊a / b⌋ · b with the sign of b, or with `fmod` c = a - trunc(a / b) · b with the sign of a; with numpy's
/// broadcasting.
///
/// An integer divisor of zero is an error (`invalidValue`); a floating-point one gives NaN.
/// <https://onnx.ai/onnx/operators/onnx__Mod.html>
enum Mod: Operator {
    static let schema = Schema.binary("Mod", versions: [10, 13, 28], attributes: [AttributeSpec("fmod", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        let fmod = context.node.int("fmod", default: 0)
        guard (0...1).contains(fmod) else {
            throw SardonyxError(.invalidModel, "attribute 'fmod' is \(fmod); it may be 0 or 1")
        }
        try context.broadcastAll()
        context.combineElements { operands in
            guard let a = operands[0].value, let b = operands[1].value, a >= 0, b > 0 else { return .unknown }
            return .fixed(a % b)
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        var kernel = try context.input(0).dataType.visitNumber(
            Visitor(
                broadcast: context.broadcastPair(), divisors: context.input(1).elementCount,
                truncates: context.node.flag("fmod")))
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }

    private struct Visitor: NumberVisitor {
        let broadcast: Broadcast
        let divisors: Int
        let truncates: Bool

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (broadcast, truncates) = (broadcast, truncates)
            let divisors = T.isInteger && broadcast.count > 0 ? divisors : 0
            return Kernel { frame in
                try refuseZeros(frame.input(1, as: T.self), divisors)
                if truncates {
                    Truncated<T>.run(frame.input(0), frame.input(1), frame.output(0), broadcast, frame.pool)
                } else {
                    Floored<T>.run(frame.input(0), frame.input(1), frame.output(0), broadcast, frame.pool)
                }
            }
        }
    }

    private enum Floored<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> T { T.flooredRemainder(a, b) }
    }

    private enum Truncated<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> T { T.truncatedRemainder(a, b) }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.setSummed(0) { try d.dy() }
        // c = a − n · b with a whole number n, which stays.
        try d.setSummed(1) { try -d.dy() * ((d.x(0) - d.y()) / d.x(1)).apply("Round") }
    }

    static let examples = [
        Example(
            "the divisor's sign",
            inputs: [
                Tensor(shape: [3], scalars: [-4, 7, 5] as [Int32]), Tensor(shape: [3], scalars: [3, -3, 8] as [Int32]),
            ],
            outputs: [Tensor(shape: [3], scalars: [2, -2, 5] as [Int32])]),
        Example(
            "the dividend's sign", attributes: ["fmod": .int(1)],
            inputs: [
                Tensor(shape: [3], scalars: [-4.5, 7.5, 5] as [Float]),
                Tensor(shape: [3], scalars: [3, -3, 8] as [Float]),
            ],
            outputs: [Tensor(shape: [3], scalars: [-1.5, 1.5, 5] as [Float])]),
    ]
}
