import SardonyxGraph

/// y[…, m, n] = Σₖ a[…, m, k] · b[…, k, n], as numpy's matmul: leading axes broadcast.
///
/// Internally, where b is one constant matrix of floats, an input 2 with a number for each column and an input 3 of y's shape
/// are added before the activation that `sardonyx.activation` names.
///
/// <https://onnx.ai/onnx/operators/onnx__MatMul.html>
enum MatMul: Operator {
    static let types: TypeSet = .floats + [.int32, .int64, .uint32, .uint64]

    static let schema = Schema(
        "MatMul", versions: [1, 9, 13],
        inputs: [Parameter("A", "T", types), Parameter("B", "T", types)],
        outputs: [Parameter("Y", "T", types)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let a = context.shape(0), let b = context.shape(1) else { return context.set(0, type, nil) }
        context.set(0, type, try BatchedProduct.output(a, b))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let product = BatchedProduct(try context.input(0).shape, try context.input(1).shape)
        switch type {
        case .float:
            var gemm = GemmKernel(product)
            gemm.activation = try FusedActivation.kernelForm(FusedActivation(context.node))
            if context.has(2) { gemm.biasInput = 2 }
            if context.has(3) {
                gemm.addend = (product.n, 1)
                gemm.addendInput = 3
                gemm.beta = 1
            }
            return try gemm.float(context)
        case .double: return try GemmKernel(product).double(context)
        default: return try type.visitNumber(Loops(product: product))
        }
    }

    /// Sums that wrap around, a row of results at a time.
    private struct Loops: NumberVisitor {
        let product: BatchedProduct

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let product = product
            let (m, n, k) = (product.m, product.n, product.k)
            var kernel = Kernel.parallel(chunks: product.groups.count * product.batch * m) { frame, row, _ in
                let (matrix, i) = (row / m, row % m)
                let group = product.groups[matrix / product.batch]
                let a = frame.input(0, as: T.self) + group.a + matrix % product.batch * product.strideA + i * k
                let b = frame.input(1, as: T.self) + group.b + matrix % product.batch * product.strideB
                let y = frame.output(0, as: T.self) + row * n
                for j in 0..<n { y[j] = T.zero }
                for p in 0..<k {
                    let factor = a[p]
                    let values = b + p * n
                    for j in 0..<n { y[j] = T.adding(y[j], T.multiplying(factor, values[j])) }
                }
            }
            kernel.multiplyAdds = product.multiplyAdds
            return kernel
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (a, b, dy) = (try d.x(0), try d.x(1), try d.dy())
        let (rankA, rankB) = (try a.rank(), try b.rank())
        // Vectors become a row and a column.
        let row = rankA == 1 ? try a.unsqueezed([0]) : a
        let column = rankB == 1 ? try b.unsqueezed([1]) : b
        var gradient = dy
        if rankB == 1 { gradient = try gradient.unsqueezed([-1]) }
        if rankA == 1 { gradient = try gradient.unsqueezed([-2]) }
        let (left, right) = (row, column)
        let whole = gradient
        try d.set(0) { try whole.apply("MatMul", right.matrixTransposed()).summed(like: left).reshaped(like: a) }
        try d.set(1) { try left.matrixTransposed().apply("MatMul", whole).summed(like: right).reshaped(like: b) }
    }

    static let examples = [
        Example(
            "a matrix and a vector",
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]),
                Tensor(shape: [2], scalars: [10, 1] as [Float]),
            ],
            outputs: [Tensor(shape: [2], scalars: [12, 34] as [Float])], tolerance: 1e-6),
        Example(
            "integers, the batch of one side broadcasts",
            inputs: [
                Tensor(shape: [2, 1, 2], scalars: [1, 2, 3, 4] as [Int32]),
                Tensor(shape: [2, 1], scalars: [10, 1] as [Int32]),
            ],
            outputs: [Tensor(shape: [2, 1, 1], scalars: [12, 34] as [Int32])]),
    ]
}
