import CKernels
import SardonyxGraph

/// z = xʸ, with numpy's broadcasting, in x's type.
///
/// Integers to integer powers wrap around and truncate toward zero. Other pairs are computed in float when both are
/// float, else in double.
/// <https://onnx.ai/onnx/operators/onnx__Pow.html>
enum Pow: ElementwiseOperator {
    static let schema = Schema(
        "Pow", versions: [1, 7, 12, 13, 15],
        inputs: [Parameter("X", "T", .floats + .indices), Parameter("Y", "T1", .numbers)],
        outputs: [Parameter("Z", "T", .floats + .indices)])

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftLegacyBroadcast(opset: opset, in: &lifting)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll() }

    /// Powers that are one number for all.
    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        guard let power = constant(1), power.count == 1, let number = (try? power.numbers())?.first else { return nil }
        if number == 2 { return .unary(SDX_UNARY_SQUARE, a: 0, b: 0) }
        return power.dataType == .float ? .binary(SDX_BINARY_POW) : nil
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let (base, power) = try (context.input(0), context.input(1))
        let broadcast = try context.broadcastPair()
        let constant = try context.constant(1)?.numbers()
        if base.dataType == .float, broadcast.count == base.elementCount, power.elementCount == 1, constant == [2] {
            var kernel = try unaryKernel(SDX_UNARY_SQUARE, base, 0, 0)
            kernel.inPlace = [0: [0]]
            kernel.absorbedInputs = [1]
            return kernel
        }
        var kernel =
            if base.dataType == .float, power.dataType == .float, broadcast.fitsCKernels {
                binaryKernel(SDX_BINARY_POW, broadcast)
            } else {
                try widened(base, power, broadcast)
            }
        kernel.inPlace = [0: try context.overwritableInputs(1)]
        return kernel
    }

    /// The powers become int64 or double in the workspace, so that each type of base needs two loops only.
    private static func widened(_ base: TensorSpec, _ power: TensorSpec, _ broadcast: Broadcast) throws -> Kernel {
        let isInteger = power.dataType.isInteger && base.dataType.isInteger
        let conversion = ElementConversion(from: power.dataType, to: isInteger ? .int64 : .double)
        let convert = conversion.isIdentity ? nil : try conversion.kernel(count: power.elementCount).run
        let visitor = Visitor(broadcast: broadcast, isInteger: isInteger, convert: convert)
        var kernel = try base.dataType.visitNumber(visitor)
        if convert != nil { kernel.workspaceByteCount = power.elementCount * 8 }
        return kernel
    }

    private struct Visitor: NumberVisitor {
        let broadcast: Broadcast
        let isInteger: Bool
        let convert: (@Sendable (Frame) throws -> Void)?

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (broadcast, convert) = (broadcast, convert)
            if isInteger {
                return Kernel { frame in
                    try Integers<T>.run(
                        frame.input(0), powers(frame, convert), frame.output(0), broadcast, frame.pool)
                }
            }
            return Kernel { frame in
                try Reals<T>.run(frame.input(0), powers(frame, convert), frame.output(0), broadcast, frame.pool)
            }
        }
    }

    private static func powers<P>(
        _ frame: Frame, _ convert: (@Sendable (Frame) throws -> Void)?
    ) throws -> UnsafePointer<P> {
        guard let convert, let workspace = frame.workspace else { return frame.input(1) }
        var target: UnsafeMutableRawPointer? = workspace
        try withUnsafePointer(to: &target) { target in
            try convert(Frame(inputs: frame.inputs + 1, outputs: target, workspace: nil, pool: frame.pool))
        }
        return UnsafePointer(workspace.assumingMemoryBound(to: P.self))
    }

    private enum Reals<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ x: T, _ y: Double) -> T { T.casting(Double.pow(x.double, y)) }
    }

    private enum Integers<T: Number>: BinaryFunction {
        static func apply(_ x: T, _ y: Int64) -> T {
            if y < 0 {
                if x == T.one { return x }
                if x == T.negating(T.one) { return y & 1 == 0 ? T.one : x }
                return x == T.zero ? T.casting(Double.infinity) : T.zero
            }
            var (result, factor, rest) = (T.one, x, y)
            while rest > 0 {
                if rest & 1 == 1 { result = T.multiplying(result, factor) }
                factor = T.multiplying(factor, factor)
                rest >>= 1
            }
            return result
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, dy) = (try d.x(0), try d.dy())
        let power = try d.x(1).converted(to: x)
        try d.setSummed(0) {
            // x⁰ is 1 also where x is 0, and the other form would be 0 · ∞ there.
            let slope = try power * x.power(power - 1)
            return try dy * power.isEqual(to: power.number(0)).choose(x.number(0), else: slope)
        }
        try d.setSummed(1) {
            let slope = try x.isEqual(to: x.number(0)).choose(x.number(0), else: d.y() * x.log())
            return try (dy * slope).converted(to: d.x(1))
        }
    }

    static let examples = [
        Example(
            "a power for each element",
            inputs: [
                Tensor(shape: [3], scalars: [1, 2, 3] as [Float]), Tensor(shape: [3], scalars: [4, 5, 6] as [Float]),
            ],
            outputs: [Tensor(shape: [3], scalars: [1, 32, 729] as [Float])], tolerance: 1e-6),
        Example(
            "squares of floats to an integer power",
            inputs: [Tensor(shape: [3], scalars: [-1, 2, 3] as [Float]), Tensor(2 as Int64)],
            outputs: [Tensor(shape: [3], scalars: [1, 4, 9] as [Float])]),
        Example(
            "integers", inputs: [Tensor(shape: [3], scalars: [-2, 3, 10] as [Int64]), Tensor(3 as Int32)],
            outputs: [Tensor(shape: [3], scalars: [-8, 27, 1000] as [Int64])]),
    ]
}
