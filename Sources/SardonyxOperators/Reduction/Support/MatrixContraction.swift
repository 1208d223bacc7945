import CKernels
import SardonyxGraph

/// A contraction of two float or double tensors as a batch of matrix products: [batch, m, k] · [batch, k, n].
struct MatrixContraction: Sendable {
    let batch: Int
    let m: Int
    let n: Int
    let k: Int
    let x: Arrangement
    let y: Arrangement
    let result: Arrangement

    private static func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

    /// Bytes of copies of x, y and the result, in this order in the workspace.
    private func copyByteCounts(_ elementSize: Int) -> (Int, Int, Int) {
        (
            x.strides == nil ? 0 : Self.rounded(batch * m * k * elementSize),
            y.strides == nil ? 0 : Self.rounded(batch * k * n * elementSize),
            result.strides == nil ? 0 : Self.rounded(batch * m * n * elementSize)
        )
    }

    func workspaceByteCount(_ elementSize: Int, workers: Int) -> Int {
        let copies = copyByteCounts(elementSize)
        let products =
            if elementSize == 4 {
                withUnsafePointer(to: floatProduct()) { sdx_gemm_f32_workspace_bytes($0, Int32(workers)) }
            } else {
                withUnsafePointer(to: doubleProduct()) { sdx_gemm_f64_workspace_bytes($0, Int32(workers)) }
            }
        return copies.0 + copies.1 + copies.2 + Self.rounded(Int(clamping: products))
    }

    private func floatProduct() -> sdx_gemm_f32 {
        var product = sdx_gemm_f32()
        (product.m, product.n, product.k, product.batch) = (Int64(m), Int64(n), Int64(k), Int64(batch))
        (product.transpose_a, product.transpose_b) = (x.isTransposed ? 1 : 0, y.isTransposed ? 1 : 0)
        (product.lda, product.ldb, product.ldc) = (leadingX, leadingY, Int64(n))
        product.batch_stride_a = Int64(m * k)
        product.batch_stride_b = Int64(k * n)
        product.batch_stride_c = Int64(m * n)
        product.alpha = 1
        return product
    }

    private func doubleProduct() -> sdx_gemm_f64 {
        var product = sdx_gemm_f64()
        (product.m, product.n, product.k, product.batch) = (Int64(m), Int64(n), Int64(k), Int64(batch))
        (product.transpose_a, product.transpose_b) = (x.isTransposed ? 1 : 0, y.isTransposed ? 1 : 0)
        (product.lda, product.ldb, product.ldc) = (leadingX, leadingY, Int64(n))
        product.batch_stride_a = Int64(m * k)
        product.batch_stride_b = Int64(k * n)
        product.batch_stride_c = Int64(m * n)
        product.alpha = 1
        return product
    }

    private var leadingX: Int64 { Int64(x.isTransposed ? m : k) }
    private var leadingY: Int64 { Int64(y.isTransposed ? k : n) }

    /// - Parameter workspace: of the size that `workspaceByteCount` gave.
    func run(
        _ elementSize: Int, _ pool: OpaquePointer?, _ left: UnsafeRawPointer, _ right: UnsafeRawPointer,
        _ target: UnsafeMutableRawPointer, _ workspace: UnsafeMutableRawPointer
    ) {
        let copies = copyByteCounts(elementSize)
        let leftCopy = workspace
        let rightCopy = leftCopy + copies.0
        let resultCopy = rightCopy + copies.1
        let scratch = resultCopy + copies.2
        let a = x.apply(left, leftCopy, elementSize, pool)
        let b = y.apply(right, rightCopy, elementSize, pool)
        let c = result.strides == nil ? target : resultCopy
        if elementSize == 4 {
            var product = floatProduct()
            product.a = a.assumingMemoryBound(to: Float.self)
            product.b = b.assumingMemoryBound(to: Float.self)
            product.c = c.assumingMemoryBound(to: Float.self)
            sdx_gemm_f32_run(pool, &product, scratch)
        } else {
            var product = doubleProduct()
            product.a = a.assumingMemoryBound(to: Double.self)
            product.b = b.assumingMemoryBound(to: Double.self)
            product.c = c.assumingMemoryBound(to: Double.self)
            sdx_gemm_f64_run(pool, &product, scratch)
        }
        if result.strides != nil { _ = result.apply(UnsafeRawPointer(c), target, elementSize, pool) }
    }
}

extension Arrangement {
    /// Moves the elements to `target` when they have to be moved, and says where they are.
    fileprivate func apply(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ elementSize: Int, _ pool: OpaquePointer?
    ) -> UnsafeRawPointer {
        guard let strides else { return source }
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * shape.count) { numbers in
            guard let base = numbers.baseAddress else { return }
            for axis in shape.indices {
                base[axis] = Int64(shape[axis])
                base[shape.count + axis] = Int64(strides[axis])
            }
            sdx_transpose(pool, Int32(elementSize), source, target, base, base + shape.count, Int32(shape.count))
        }
        return UnsafeRawPointer(target)
    }
}
