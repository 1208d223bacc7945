import SardonyxGraph

/// y = x + bias where x < -lambd, x - bias where x > lambd, and 0 between.
///
/// <https://onnx.ai/onnx/operators/onnx__Shrink.html>
enum Shrink: Operator {
    static let schema = Schema.unary(
        "Shrink", versions: [9], types: .integers + [.double, .float, .float16], input: "input", output: "output",
        attributes: [AttributeSpec("bias", .float), AttributeSpec("lambd", .float)])

    static func infer(_ context: inout InferenceContext) throws { try context.passThrough() }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        var kernel = try spec.dataType.visitNumber(
            Shrinkage(
                count: spec.elementCount, bias: Double(context.node.float("bias", default: 0)),
                threshold: Double(context.node.float("lambd", default: 0.5))))
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private struct Shrinkage: NumberVisitor {
        let count: Int
        let bias: Double
        let threshold: Double

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (count, bias, threshold) = (count, bias, threshold)
            return Kernel { frame in
                Work<T>(x: frame.input(0), y: frame.output(0), bias: bias, threshold: threshold)
                    .run(count: count, on: frame.pool)
            }
        }
    }

    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let bias: Double
        let threshold: Double

        func run(_ range: Range<Int>) {
            for i in range {
                // A whole bias leaves integers whole, and then they stay exact.
                let value = x[i].double
                let offset = value < -threshold ? bias : value > threshold ? -bias : nil
                guard let offset else {
                    y[i] = T.zero
                    continue
                }
                y[i] =
                    T.isInteger && offset == offset.rounded()
                    ? T.adding(x[i], T.casting(offset)) : T.casting(value + offset)
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let threshold = Double(d.node.float("lambd", default: 0.5))
        try d.set(0) { try d.dy().kept(where: d.x().abs().isGreater(than: threshold)) }
    }

    static let examples = [
        Example(
            "toward zero by the bias", attributes: ["bias": .float(1.5), "lambd": .float(1.5)],
            inputs: [Tensor(shape: [5], scalars: [-2, -1, 0, 1, 2] as [Float])],
            outputs: [Tensor(shape: [5], scalars: [-0.5, 0, 0, 0, 0.5] as [Float])]),
        Example(
            "integers truncate", attributes: ["bias": .float(0.5), "lambd": .float(1)],
            inputs: [Tensor(shape: [3], scalars: [-3, 1, 3] as [Int32])],
            outputs: [Tensor(shape: [3], scalars: [-2, 0, 2] as [Int32])]),
    ]
}
