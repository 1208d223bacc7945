import CKernels
import SardonyxGraph

/// y[m, n] = alpha · Σₖ a[m, k] · b[k, n] + beta · c[m, n]; transA and transB transpose a and b first, c broadcasts.
///
/// <https://onnx.ai/onnx/operators/onnx__Gemm.html>
enum Gemm: Operator {
    static let schema = Schema(
        "Gemm", versions: [1, 6, 7, 9, 11, 13],
        inputs: [
            Parameter("A", "T", MatMul.types), Parameter("B", "T", MatMul.types),
            Parameter("C", "T", MatMul.types, .optional),
        ],
        outputs: [Parameter("Y", "T", MatMul.types)],
        attributes: [
            AttributeSpec("alpha", .float), AttributeSpec("beta", .float), AttributeSpec("transA", .int),
            AttributeSpec("transB", .int),
        ])

    /// Through opset 6 `broadcast` says whether C broadcasts, which its shape says as well.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 7 { node.attributes["broadcast"] = nil }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        try context.requireRank(0, 2...2, "A")
        try context.requireRank(1, 2...2, "B")
        let a = context.shape(0)
        let b = context.shape(1)
        let (transA, transB) = (context.node.flag("transA"), context.node.flag("transB"))
        let m = a?[transA ? 1 : 0] ?? .unknown
        let n = b?[transB ? 0 : 1] ?? .unknown
        if let x = a?[transA ? 0 : 1].value, let y = b?[transB ? 1 : 0].value, x != y {
            throw SardonyxError(.invalidModel, "A has \(x) columns and B has \(y) rows; they must be the same")
        }
        if let c = context.shape(2) {
            let fits = zip(c.reversed(), [n, m]).allSatisfy { mine, target in
                guard let mine = mine.value, let target = target.value else { return true }
                return mine == 1 || mine == target
            }
            guard c.count <= 2, fits else {
                throw SardonyxError(
                    .invalidModel, "C has the shape \(c.text), which does not broadcast to [\(m), \(n)]")
            }
        }
        context.set(0, type, [m, n])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let type = try context.input(0).dataType
        if type.isHalfWidth { return try context.throughFloat(prepare) }
        let node = context.node
        let output = try context.output(0).shape
        let a = try context.input(0).shape
        var gemm = GemmKernel(m: output[0], n: output[1], k: a[node.flag("transA") ? 0 : 1])
        gemm.isTransposedA = node.flag("transA")
        gemm.isTransposedB = node.flag("transB")
        gemm.alpha = node.float("alpha", default: 1)
        gemm.beta = node.float("beta", default: 1)
        if context.has(2) {
            let c = try context.input(2).shape
            let columns = c.last ?? 1
            let rows = c.count == 2 ? c[0] : 1
            gemm.addend = (rows == 1 ? 0 : columns, columns == 1 ? 0 : 1)
        }
        let activation = try FusedActivation(node)
        switch type {
        case .float:
            gemm.activation = try FusedActivation.kernelForm(activation)
            return try gemm.float(context)
        case .double where activation == nil: return try gemm.double(context)
        default:
            guard activation == nil else { throw SardonyxError(.unsupported, "an activation fuses with float only") }
            return try type.visitNumber(Loops(gemm: gemm))
        }
    }

    /// Integer sums wrap around; a fractional alpha or beta scales them in double.
    private struct Loops: NumberVisitor {
        let gemm: GemmKernel

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let gemm = gemm
            let (rowA, stepA) = gemm.isTransposedA ? (1, gemm.m) : (gemm.k, 1)
            let (stepB, columnB) = gemm.isTransposedB ? (1, gemm.k) : (gemm.n, 1)
            let isPlain = gemm.alpha == 1 && gemm.beta == 1
            return .parallel(chunks: gemm.m) { frame, i, _ in
                let a = frame.input(0, as: T.self) + i * rowA
                let b = frame.input(1, as: T.self)
                let c = gemm.addend == nil ? nil : frame.input(2, as: T.self)
                let y = frame.output(0, as: T.self) + i * gemm.n
                for j in 0..<gemm.n {
                    var sum = T.zero
                    for p in 0..<gemm.k {
                        sum = T.adding(sum, T.multiplying(a[p * stepA], b[p * stepB + j * columnB]))
                    }
                    let addend = c?[i * (gemm.addend?.rows ?? 0) + j * (gemm.addend?.columns ?? 0)] ?? T.zero
                    y[j] =
                        isPlain
                        ? T.adding(sum, addend)
                        : T.converting(Double(gemm.alpha) * sum.double + Double(gemm.beta) * addend.double)
                }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (a, b, dy) = (try d.x(0), try d.x(1), try d.dy())
        let (transA, transB) = (d.node.flag("transA"), d.node.flag("transB"))
        func product(_ a: Term, _ transA: Bool, _ b: Term, _ transB: Bool) throws -> Term {
            let alpha = Attribute.float(d.node.float("alpha", default: 1))
            return try a.apply(
                "Gemm", b, with: ["alpha": alpha, "transA": .int(transA ? 1 : 0), "transB": .int(transB ? 1 : 0)])
        }
        try d.set(0) { try transA ? product(b, transB, dy, true) : product(dy, false, b, !transB) }
        try d.set(1) { try transB ? product(dy, true, a, transA) : product(a, !transA, dy, false) }
        try d.setSummed(2) { try dy * Double(d.node.float("beta", default: 1)) }
    }

    static let examples = [
        Example(
            "B transposed, a bias for each column",
            attributes: ["transB": .int(1), "alpha": .float(0.5)],
            inputs: [
                Tensor(shape: [1, 2], scalars: [1, 2] as [Float]),
                Tensor(shape: [2, 2], scalars: [2, 0, 0, 4] as [Float]),
                Tensor(shape: [2], scalars: [10, 20] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 2], scalars: [11, 24] as [Float])], tolerance: 1e-6),
        Example(
            "A transposed, a bias for each row, in double",
            attributes: ["transA": .int(1)],
            inputs: [
                Tensor(shape: [1, 2], scalars: [1, 2] as [Double]),
                Tensor(shape: [1, 2], scalars: [3, 4] as [Double]),
                Tensor(shape: [2, 1], scalars: [10, 20] as [Double]),
            ],
            outputs: [Tensor(shape: [2, 2], scalars: [13, 14, 26, 28] as [Double])], tolerance: 1e-12),
    ]
}
