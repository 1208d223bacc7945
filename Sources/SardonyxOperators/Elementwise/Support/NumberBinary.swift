import CKernels
import SardonyxGraph

/// An operator that gives f(a, b) of elements of the same type, in that type, with numpy's broadcasting.
protocol NumberBinary: ElementwiseOperator {
    static func apply<T: Number>(_ a: T, _ b: T) -> T
    /// The C kernel for float.
    static var kernel: sdx_binary_op { get }
    /// Whether integers are divided, so that a divisor of zero is an error.
    static var divides: Bool { get }
    /// f of two extents, for what is known of shapes.
    static func combine(_ a: Dimension, _ b: Dimension) -> Dimension
}

extension NumberBinary {
    static var divides: Bool { false }

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftLegacyBroadcast(opset: opset, in: &lifting)
    }

    static func infer(_ context: inout InferenceContext) throws {
        try context.broadcastAll()
        context.combineElements { combine($0[0], $0[1]) }
    }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? { .binary(kernel) }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        try context.binaryOffers(isCommutative: kernel == SDX_BINARY_ADD || kernel == SDX_BINARY_MUL)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        if let kernel = try context.blockedBinaryKernel(Self.kernel) { return kernel }
        let type = try context.input(0).dataType
        let broadcast = try context.broadcastPair()
        var kernel =
            if type == .float, broadcast.fitsCKernels {
                binaryKernel(Self.kernel, broadcast)
            } else {
                try type.visitNumber(
                    NumberBinaryVisitor<Self>(broadcast: broadcast, divisors: context.input(1).elementCount))
            }
        kernel.inPlace = [0: try context.overwritableInputs()]
        return kernel
    }
}

/// The C kernel on float.
func binaryKernel(_ op: sdx_binary_op, _ broadcast: Broadcast) -> Kernel {
    let layout = CBroadcast(broadcast)
    return Kernel { frame in
        layout.run(op, frame.input(0), frame.input(1), frame.output(0), frame.pool)
    }
}

extension Broadcast {
    var fitsCKernels: Bool { shape.count <= Int(SDX_MAX_RANK) }
}

/// A broadcast of two operands in the form that the C kernels take.
struct CBroadcast: Sendable {
    private let shape: [Int64]
    private let a: [Int64]
    private let b: [Int64]

    init(_ broadcast: Broadcast) {
        shape = broadcast.shape.map(Int64.init)
        a = broadcast.strides[0].map(Int64.init)
        b = broadcast.strides[1].map(Int64.init)
    }

    func run(
        _ op: sdx_binary_op, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
        _ result: UnsafeMutablePointer<Float>, _ pool: OpaquePointer?
    ) {
        sdx_binary_f32(pool, op, left, a, right, b, result, shape, Int32(shape.count), SDX_ACTIVATION_NONE)
    }
}

private struct NumberBinaryVisitor<Op: NumberBinary>: NumberVisitor {
    let broadcast: Broadcast
    let divisors: Int

    func visit<T: Number>(_ type: T.Type) throws -> Kernel {
        let (broadcast, divisors) = (broadcast, T.isInteger && Op.divides && broadcast.count > 0 ? divisors : 0)
        return Kernel { frame in
            try refuseZeros(frame.input(1, as: T.self), divisors)
            Function<T>.run(frame.input(0), frame.input(1), frame.output(0), broadcast, frame.pool)
        }
    }

    private enum Function<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> T { Op.apply(a, b) }
    }
}

/// Refuses integer divisors of zero.
func refuseZeros<T: Number>(_ divisors: UnsafePointer<T>, _ count: Int) throws {
    for i in 0..<count where divisors[i] == T.zero {
        throw SardonyxError(.invalidValue, "element \(i) of the divisor is 0; an integer cannot be divided by it")
    }
}
