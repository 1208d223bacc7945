import CKernels
import SardonyxGraph

/// An operator that folds any number of tensors of the same type with f(a, b), element by element, with numpy's
/// broadcasting.
protocol VariadicElementwise: ElementwiseOperator {
    static func apply<T: Number>(_ a: T, _ b: T) -> T
    /// The C kernel for float.
    static var kernel: sdx_binary_op { get }
    /// Whether the result is divided by the number of inputs.
    static var averages: Bool { get }
}

extension VariadicElementwise {
    static var averages: Bool { false }

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.removeConsumedInputs(opset: opset)
    }

    static func infer(_ context: inout InferenceContext) throws { try context.broadcastAll() }

    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction? {
        node.inputs.count == 2 && !averages ? .binary(kernel) : nil
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let shape = try context.output(0).shape
        guard context.inputs.allSatisfy({ $0?.shape == shape }) else { return [] }
        return try context.channelBlocks(inputs: Array(context.inputs.indices))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        let count = context.inputs.count
        if count == 1 { return .view }
        let shapes = try (0..<count).map { try context.input($0).shape }
        // The first step combines inputs 0 and 1 in the output, each further one the output with one more input.
        let steps = (1..<count).map { Broadcast([$0 == 1 ? shapes[0] : output.shape, shapes[$0]], to: output.shape) }
        var kernel =
            if output.dataType == .float, steps.allSatisfy(\.fitsCKernels) {
                floatKernel(steps.map(CBroadcast.init), output.elementCount)
            } else {
                try output.dataType.visitNumber(VariadicVisitor<Self>(steps: steps, count: output.elementCount))
            }
        // Later inputs are read after the output has been written.
        kernel.inPlace = [0: try context.overwritableInputs(min(count, 2))]
        return kernel
    }

    private static func floatKernel(_ steps: [CBroadcast], _ count: Int) -> Kernel {
        let (op, averages, scale) = (kernel, averages, Float(steps.count + 1))
        return Kernel { frame in
            let y: UnsafeMutablePointer<Float> = frame.output(0)
            for (index, step) in steps.enumerated() {
                let left = index == 0 ? frame.input(0) : UnsafePointer(y)
                step.run(op, left, frame.input(index + 1), y, frame.pool)
            }
            if averages {
                Quotient<Float>(y: y, divisor: scale).run(count: count, on: frame.pool)
            }
        }
    }
}

private struct VariadicVisitor<Op: VariadicElementwise>: NumberVisitor {
    let steps: [Broadcast]
    let count: Int

    func visit<T: Number>(_ type: T.Type) throws -> Kernel {
        let (steps, count) = (steps, count)
        return Kernel { frame in
            let y: UnsafeMutablePointer<T> = frame.output(0)
            for (index, step) in steps.enumerated() {
                let left = index == 0 ? frame.input(0) : UnsafePointer(y)
                Function<T>.run(left, frame.input(index + 1), y, step, frame.pool)
            }
            if Op.averages {
                Quotient(y: y, divisor: T.converting(steps.count + 1)).run(count: count, on: frame.pool)
            }
        }
    }

    private enum Function<T: Number>: BinaryFunction {
        @inline(__always) static func apply(_ a: T, _ b: T) -> T { Op.apply(a, b) }
    }
}

/// Divides in place.
private struct Quotient<T: Number>: ChunkedWork {
    let y: UnsafeMutablePointer<T>
    let divisor: T

    func run(_ range: Range<Int>) {
        for i in range { y[i] = T.dividing(y[i], divisor) }
    }
}
