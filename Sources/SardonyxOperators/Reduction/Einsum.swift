import SardonyxGraph

/// output[o] = Σ Π inputs[…] over the labels of the inputs' axes that the output does not have.
///
/// `equation` gives every axis a letter, `ij,jk->ik`; `...` stands for axes that broadcast. Inputs are contracted from
/// left to right, by matrix products where they are large.
/// <https://onnx.ai/onnx/operators/onnx__Einsum.html>
enum Einsum: Operator {
    static let schema = Schema(
        "Einsum", versions: [12, 28], inputs: [Parameter("Inputs", "T", .numbers, .variadic)],
        outputs: [Parameter("Output", "T", .numbers)],
        attributes: [AttributeSpec("equation", .string, required: true)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let shapes = context.inputs.indices.compactMap { context.shape($0) }
        guard shapes.count == context.inputs.count else { return context.set(0, type, nil) }
        let equation = try EinsumEquation(context.node.string("equation", default: ""), ranks: shapes.map(\.count))
        let extents = try equation.extents(shapes)
        context.set(0, type, equation.output.map { extents[$0] ?? .unknown })
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let shapes = try context.inputs.indices.map { try context.input($0).shape }
        let equation = try EinsumEquation(context.node.string("equation", default: ""), ranks: shapes.map(\.count))
        let extents = try equation.extents(shapes.map { SymbolicShape($0) }).compactMapValues(\.value)
        var steps: [Contraction] = []
        var left = LabeledOperand(equation.operands[0], shape: shapes[0])
        for index in 1..<max(2, shapes.count) {
            // A single input is contracted with the number 1.
            let right =
                index < shapes.count
                ? LabeledOperand(equation.operands[index], shape: shapes[index]) : LabeledOperand([], shape: [])
            let later = Set(equation.operands.dropFirst(index + 1).joined())
            let isLast = index >= shapes.count - 1
            let all = left.labels + right.labels.filter { left.strides[$0] == nil }
            // Axes of extent 1 make no difference to the order of elements.
            let result =
                isLast ? equation.output.filter { extents[$0] != 1 } : all.filter(later.union(equation.output).contains)
            let step = try Contraction(left, right, result: result, extents: extents)
            steps.append(step)
            left = LabeledOperand(step.result, shape: step.resultShape)
        }
        return try context.input(0).dataType.visitNumber(
            Visitor(steps: steps, workers: context.workers, isSingle: shapes.count == 1))
    }

    private struct Visitor: NumberVisitor {
        let steps: [Contraction]
        let workers: Int
        /// Whether there is one input, contracted with the number 1.
        let isSingle: Bool

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            // Integers wrap around; halves are accumulated in double.
            if T.isInteger || type == Float.self || type == Double.self { return try kernel(type, in: type) }
            return try kernel(type, in: Double.self)
        }

        private func kernel<T: Number, A: Number>(_ type: T.Type, in accumulator: A.Type) throws -> Kernel {
            let size = MemoryLayout<T>.size
            let stages = steps.map { step in
                Stage(
                    loops: step.loops(type, in: accumulator),
                    product: type == Float.self || type == Double.self ? step.product() : nil)
            }
            // Intermediate results stand after each other in the workspace, then the products' scratch memory.
            var offsets: [Int] = []
            var total = 0
            for step in steps.dropLast() {
                offsets.append(total)
                let (bytes, overflow) = step.resultCount.multipliedReportingOverflow(by: size)
                guard !overflow, bytes < Int.max / 4 - total else {
                    throw SardonyxError(.memory, "an intermediate result of the equation is too large")
                }
                total += (bytes + 63) / 64 * 64
            }
            let scratch = stages.compactMap { $0.product?.workspaceByteCount(size, workers: workers) }.max() ?? 0
            let (intermediate, starts, isSingle) = (total, offsets, isSingle)
            var result = Kernel { frame in
                var one = T.one
                withUnsafePointer(to: &one) { one in
                    var left: UnsafePointer<T> = frame.input(0)
                    for (index, stage) in stages.enumerated() {
                        let right = isSingle ? one : frame.input(index + 1)
                        var target: UnsafeMutablePointer<T> = frame.output(0)
                        if index < starts.count, let workspace = frame.workspace {
                            target = workspace.advanced(by: starts[index]).assumingMemoryBound(to: T.self)
                        }
                        if let product = stage.product, let workspace = frame.workspace {
                            product.run(size, frame.pool, left, right, target, workspace + intermediate)
                        } else {
                            stage.loops.run(frame.pool, left, right, target)
                        }
                        left = UnsafePointer(target)
                    }
                }
            }
            result.workspaceByteCount = intermediate + scratch
            return result
        }
    }

    private struct Stage<T: Number, A: Number>: Sendable {
        let loops: Contraction.Loops<T, A>
        let product: MatrixContraction?
    }

    static let derivative: Derivative? = Derivative { d in
        let inputs = try d.node.inputs.indices.map { try d.x($0) }
        let equation = try EinsumEquation(
            d.node.string("equation", default: ""), ranks: inputs.map { term throws(SardonyxError) in try term.rank() })
        for (index, x) in inputs.enumerated() {
            try d.set(index) {
                let others = inputs.indices.filter { $0 != index }
                let (text, missing, repeats) = try equation.gradient(of: index)
                // A term that repeats a letter takes the diagonal.
                let diagonals = try repeats.map { first, again in
                    let extents = try x.extents(first..<first + 1).joined([x.extents(again..<again + 1)])
                    return try x.filled(0, extents).apply("EyeLike")
                }
                let product = try d.dy().apply(
                    "Einsum", others.map { inputs[$0] } + diagonals, with: ["equation": .string(text)])
                // Axes that only this input has were summed up, and axes of extent 1 broadcast.
                return try product.unsqueezed(missing).apply("Expand", x.extents()).summed(like: x)
            }
        }
    }

    static let examples = [
        Example(
            "a matrix product", attributes: ["equation": .string("ij,jk->ik")],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2, 1], scalars: [5, 6] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 1], scalars: [17, 39] as [Float])]),
        Example(
            "a transpose", attributes: ["equation": .string("ij->ji")],
            inputs: [Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 3, 2, 4] as [Float])]),
        Example(
            "diagonals of a batch", attributes: ["equation": .string("...ii->...i")],
            inputs: [Tensor(shape: [2, 2, 2], scalars: [1, 2, 3, 4, 5, 6, 7, 8] as [Int32])],
            outputs: [Tensor(shape: [2, 2], scalars: [1, 4, 5, 8] as [Int32])]),
    ]
}
