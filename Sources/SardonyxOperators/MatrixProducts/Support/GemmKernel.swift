import CKernels
import SardonyxGraph

/// y = act(alpha · a · b + bias + beta · d) by the C kernels for float and double. Inputs 0 and 1 are a and b.
struct GemmKernel: Sendable {
    var m: Int
    var n: Int
    var k: Int
    var isTransposedA = false
    var isTransposedB = false
    var alpha: Float = 1
    var beta: Float = 0
    /// Strides of d between rows and columns, or nil without d, and which input it is.
    var addend: (rows: Int, columns: Int)?
    var addendInput = 2
    /// The input with a number for each column; for float only.
    var biasInput: Int?
    var activation = sdx_activation(kind: SDX_ACTIVATION_NONE, a: 0, b: 0)
    var batch = 1
    var strideA = 0
    var strideB = 0
    var groups: [(a: Int, b: Int)] = [(0, 0)]

    init(m: Int, n: Int, k: Int) { (self.m, self.n, self.k) = (m, n, k) }

    init(_ product: BatchedProduct) {
        (m, n, k) = (product.m, product.n, product.k)
        (batch, strideA, strideB, groups) = (product.batch, product.strideA, product.strideB, product.groups)
    }

    /// A kernel for float tensors; b is packed at preparation when it is one constant matrix.
    func float(_ context: PreparationContext) throws -> Kernel {
        var packed: TensorStorage?
        if groups.count == 1, batch == 1, let b = context.constant(1) {
            let bytes = sdx_gemm_f32_packed_b_bytes(Int64(k), Int64(n))
            packed = try context.packedWeights.pack(
                context.inputValues[1], b, layout: "gemm \(k)×\(n) \(isTransposedB) isa\(sdx_isa_current().rawValue)",
                byteCount: Int(bytes)
            ) { b, target in
                sdx_gemm_f32_pack_b(
                    Int64(k), Int64(n), b.assumingMemoryBound(to: Float.self),
                    Int64(isTransposedB ? k : n), isTransposedB ? 1 : 0, target.assumingMemoryBound(to: Float.self))
            }
        }
        let storage = packed
        var shape = form(a: nil, b: nil, c: nil, d: nil)
        shape.packed_b = storage.map { UnsafePointer($0.base.assumingMemoryBound(to: Float.self)) }
        let workspace = sdx_gemm_f32_workspace_bytes(&shape, Int32(context.workers))
        guard workspace >= 0 else { throw SardonyxError(.memory, "the product \(m) × \(k) × \(n) is too large") }
        let gemm = self
        let results = batch * m * n
        var kernel = Kernel { frame in
            let a = frame.input(0, as: Float.self)
            let b = storage == nil ? frame.input(1, as: Float.self) : nil
            let c = frame.output(0, as: Float.self)
            let d = gemm.addend == nil ? nil : frame.input(gemm.addendInput, as: Float.self)
            let bias = gemm.biasInput.map { frame.input($0, as: Float.self) }
            for (index, group) in gemm.groups.enumerated() {
                var form = gemm.form(a: a + group.a, b: b.map { $0 + group.b }, c: c + index * results, d: d)
                form.packed_b = storage.map { UnsafePointer($0.base.assumingMemoryBound(to: Float.self)) }
                form.column_bias = bias
                sdx_gemm_f32_run(frame.pool, &form, frame.workspace)
            }
        }
        kernel.workspaceByteCount = Int(workspace)
        kernel.multiplyAdds = groups.count &* batch &* m &* n &* k
        if let packed {
            kernel.absorbedInputs = [1]
            kernel.packedWeights = [packed]
        }
        return kernel
    }

    /// A kernel for double tensors; activations are not fused into it.
    func double(_ context: PreparationContext) throws -> Kernel {
        var shape = wideForm(a: nil, b: nil, c: nil, d: nil)
        let workspace = sdx_gemm_f64_workspace_bytes(&shape, Int32(context.workers))
        guard workspace >= 0 else { throw SardonyxError(.memory, "the product \(m) × \(k) × \(n) is too large") }
        let gemm = self
        let results = batch * m * n
        var kernel = Kernel { frame in
            let d = gemm.addend == nil ? nil : frame.input(2, as: Double.self)
            for (index, group) in gemm.groups.enumerated() {
                var form = gemm.wideForm(
                    a: frame.input(0, as: Double.self) + group.a, b: frame.input(1, as: Double.self) + group.b,
                    c: frame.output(0, as: Double.self) + index * results, d: d)
                sdx_gemm_f64_run(frame.pool, &form, frame.workspace)
            }
        }
        kernel.workspaceByteCount = Int(workspace)
        kernel.multiplyAdds = groups.count &* batch &* m &* n &* k
        return kernel
    }

    private func form(
        a: UnsafePointer<Float>?, b: UnsafePointer<Float>?, c: UnsafeMutablePointer<Float>?, d: UnsafePointer<Float>?
    ) -> sdx_gemm_f32 {
        var g = sdx_gemm_f32()
        (g.m, g.n, g.k) = (Int64(m), Int64(n), Int64(k))
        (g.a, g.b, g.c, g.d) = (a, b, c, d)
        (g.transpose_a, g.transpose_b) = (isTransposedA ? 1 : 0, isTransposedB ? 1 : 0)
        (g.lda, g.ldb, g.ldc) = (Int64(isTransposedA ? m : k), Int64(isTransposedB ? k : n), Int64(n))
        (g.batch, g.batch_stride_a, g.batch_stride_b) = (Int64(batch), Int64(strideA), Int64(strideB))
        g.batch_stride_c = Int64(m * n)
        (g.alpha, g.beta, g.activation) = (alpha, d == nil ? 0 : beta, activation)
        (g.d_row_stride, g.d_column_stride) = (Int64(addend?.rows ?? 0), Int64(addend?.columns ?? 0))
        return g
    }

    private func wideForm(
        a: UnsafePointer<Double>?, b: UnsafePointer<Double>?, c: UnsafeMutablePointer<Double>?,
        d: UnsafePointer<Double>?
    ) -> sdx_gemm_f64 {
        var g = sdx_gemm_f64()
        (g.m, g.n, g.k) = (Int64(m), Int64(n), Int64(k))
        (g.a, g.b, g.c, g.d) = (a, b, c, d)
        (g.transpose_a, g.transpose_b) = (isTransposedA ? 1 : 0, isTransposedB ? 1 : 0)
        (g.lda, g.ldb, g.ldc) = (Int64(isTransposedA ? m : k), Int64(isTransposedB ? k : n), Int64(n))
        (g.batch, g.batch_stride_a, g.batch_stride_b) = (Int64(batch), Int64(strideA), Int64(strideB))
        g.batch_stride_c = Int64(m * n)
        (g.alpha, g.beta) = (Double(alpha), d == nil ? 0 : Double(beta))
        (g.d_row_stride, g.d_column_stride) = (Int64(addend?.rows ?? 0), Int64(addend?.columns ?? 0))
        return g
    }
}
