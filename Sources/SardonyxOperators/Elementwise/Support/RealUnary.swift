import CKernels
import SardonyxGraph

/// An operator that gives f(x) for every element x of a floating-point tensor.
///
/// float16 and bfloat16 are computed in float and rounded once; double in double.
protocol RealUnary: ElementwiseOperator {
    /// f(x) with the values of the attributes that `parameters` gives.
    static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W
    static func parameters(of node: Node) throws -> (a: Float, b: Float)
    /// The C kernel that computes f in float, with the same a and b.
    static func kernel(for node: Node) -> sdx_unary_op?
}

/// A `RealUnary` without attributes.
protocol RealFunction: RealUnary {
    static func apply<W: RealMath>(_ x: W) -> W
    static var kernel: sdx_unary_op? { get }
}

extension RealUnary {
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.removeConsumedInputs(opset: opset)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        guard let op = kernel(for: node), let (a, b) = try? parameters(of: node) else { return nil }
        return .unary(op, a: a, b: b)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel { try prepareReal(context) }

    static func prepareReal(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let (a, b) = try parameters(of: context.node)
        var kernel: Kernel
        if let op = Self.kernel(for: context.node), spec.dataType != .double {
            kernel = try unaryKernel(op, spec, a, b)
        } else {
            kernel = try spec.dataType.visitReal(RealUnaryVisitor<Self>(count: spec.elementCount, a: a, b: b))
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }
}

extension RealFunction {
    static func parameters(of node: Node) -> (a: Float, b: Float) { (0, 0) }
    static func kernel(for node: Node) -> sdx_unary_op? { kernel }
    static var kernel: sdx_unary_op? { nil }
    @inline(__always) static func apply<W: RealMath>(_ x: W, _ a: W, _ b: W) -> W { apply(x) }
}

/// The C kernel on float, or on float16 and bfloat16 through blocks of float.
func unaryKernel(_ op: sdx_unary_op, _ spec: TensorSpec, _ a: Float, _ b: Float) throws -> Kernel {
    let count = spec.elementCount
    if spec.dataType == .float {
        return Kernel { frame in
            sdx_unary_f32(frame.pool, op, frame.input(0), frame.output(0), Int64(count), a, b)
        }
    }
    let half = try HalfFormat(spec.dataType)
    let block = HalfFormat.block
    var kernel = Kernel { frame in
        let x: UnsafePointer<UInt16> = frame.input(0)
        let y: UnsafeMutablePointer<UInt16> = frame.output(0)
        guard let buffer = frame.workspace?.assumingMemoryBound(to: Float.self) else { return }
        for start in stride(from: 0, to: count, by: block) {
            let length = min(block, count - start)
            half.load(frame.pool, x + start, buffer, length)
            sdx_unary_f32(frame.pool, op, buffer, buffer, Int64(length), a, b)
            half.store(frame.pool, buffer, y + start, length)
        }
    }
    kernel.workspaceByteCount = min(count, block) * 4
    return kernel
}

/// float16 or bfloat16 as storage for float computations.
struct HalfFormat: Sendable {
    /// Elements that are converted at a time: enough to share among threads, and small enough for the L2 cache.
    static let block = 65536

    private let isBFloat: Bool

    init(_ type: DataType) throws {
        switch type {
        case .float16: isBFloat = false
        case .bfloat16: isBFloat = true
        default: throw type.unsupported
        }
    }

    func load(_ pool: OpaquePointer?, _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
        if isBFloat {
            sdx_convert_bf16_f32(pool, x, y, Int64(count))
        } else {
            sdx_convert_f16_f32(pool, x, y, Int64(count))
        }
    }

    func store(_ pool: OpaquePointer?, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>, _ count: Int) {
        if isBFloat {
            sdx_convert_f32_bf16(pool, x, y, Int64(count))
        } else {
            sdx_convert_f32_f16(pool, x, y, Int64(count))
        }
    }
}

private struct RealUnaryVisitor<Op: RealUnary>: RealVisitor {
    let count: Int
    let a: Float
    let b: Float

    func visit<T: Real>(_ type: T.Type) throws -> Kernel {
        let (count, a, b) = (count, T.Wide(a), T.Wide(b))
        return Kernel { frame in
            RealUnaryWork<Op, T>(x: frame.input(0), y: frame.output(0), a: a, b: b).run(count: count, on: frame.pool)
        }
    }
}

private struct RealUnaryWork<Op: RealUnary, T: Real>: ChunkedWork {
    let x: UnsafePointer<T>
    let y: UnsafeMutablePointer<T>
    let a: T.Wide
    let b: T.Wide

    func run(_ range: Range<Int>) {
        for i in range { y[i] = T(wide: Op.apply(x[i].wide, a, b)) }
    }
}
