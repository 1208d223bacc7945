import CKernels
import SardonyxGraph

/// An operator that gives f(x) for every element x of a tensor of numbers, exactly, in the element's own type.
protocol NumberUnary: ElementwiseOperator {
    static func apply<T: Number>(_ x: T) -> T
    /// The C kernel for float.
    static var kernel: sdx_unary_op { get }
}

extension NumberUnary {
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.removeConsumedInputs(opset: opset)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        .unary(kernel, a: 0, b: 0)
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] { try context.channelBlocks() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        var kernel =
            if spec.dataType == .float {
                try unaryKernel(Self.kernel, spec, 0, 0)
            } else {
                try spec.dataType.visitNumber(NumberUnaryVisitor<Self>(count: spec.elementCount))
            }
        kernel.inPlace = [0: [0]]
        return kernel
    }
}

private struct NumberUnaryVisitor<Op: NumberUnary>: NumberVisitor {
    let count: Int

    func visit<T: Number>(_ type: T.Type) throws -> Kernel {
        let count = count
        return Kernel { frame in
            NumberUnaryWork<Op, T>(x: frame.input(0), y: frame.output(0)).run(count: count, on: frame.pool)
        }
    }
}

private struct NumberUnaryWork<Op: NumberUnary, T: Number>: ChunkedWork {
    let x: UnsafePointer<T>
    let y: UnsafeMutablePointer<T>

    func run(_ range: Range<Int>) {
        for i in range { y[i] = Op.apply(x[i]) }
    }
}
