import CKernels
import SardonyxGraph

/// c[i, j] = alpha · Σₖ a[i, k] · b[k, j], where rows lie `lda`, `ldb` and `ldc` elements apart, and b may be stored with
/// its rows as columns.
struct StridedProduct: Sendable {
    var m: Int
    var n: Int
    var k: Int
    var lda: Int
    var ldb: Int
    var ldc: Int
    var isTransposedB = false
    var alpha = 1.0
}

/// A type that the C kernels multiply matrices of.
protocol ProductElement: RealMath {
    static func workspaceByteCount(_ product: StridedProduct, workers: Int) -> Int
    static func multiply(
        _ product: StridedProduct, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ c: UnsafeMutablePointer<Self>,
        pool: OpaquePointer?, workspace: UnsafeMutableRawPointer?)
    /// x[i] = exp(x[i] - m) / Σ exp(x - m) with m = max x, in place.
    static func softmax(_ x: UnsafeMutablePointer<Self>, count: Int)
}

extension Float: ProductElement {
    private static func form(_ product: StridedProduct) -> sdx_gemm_f32 {
        var g = sdx_gemm_f32()
        (g.m, g.n, g.k) = (Int64(product.m), Int64(product.n), Int64(product.k))
        (g.lda, g.ldb, g.ldc) = (Int64(product.lda), Int64(product.ldb), Int64(product.ldc))
        g.transpose_b = product.isTransposedB ? 1 : 0
        (g.batch, g.alpha) = (1, Float(product.alpha))
        g.activation = sdx_activation(kind: SDX_ACTIVATION_NONE, a: 0, b: 0)
        return g
    }

    static func workspaceByteCount(_ product: StridedProduct, workers: Int) -> Int {
        var form = form(product)
        return Int(clamping: sdx_gemm_f32_workspace_bytes(&form, Int32(workers)))
    }

    static func multiply(
        _ product: StridedProduct, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        _ c: UnsafeMutablePointer<Float>, pool: OpaquePointer?, workspace: UnsafeMutableRawPointer?
    ) {
        var form = form(product)
        (form.a, form.b, form.c) = (a, b, c)
        sdx_gemm_f32_run(pool, &form, workspace)
    }

    static func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
        sdx_softmax_f32(nil, x, x, 1, Int64(count), 1)
    }
}

extension Double: ProductElement {
    private static func form(_ product: StridedProduct) -> sdx_gemm_f64 {
        var g = sdx_gemm_f64()
        (g.m, g.n, g.k) = (Int64(product.m), Int64(product.n), Int64(product.k))
        (g.lda, g.ldb, g.ldc) = (Int64(product.lda), Int64(product.ldb), Int64(product.ldc))
        g.transpose_b = product.isTransposedB ? 1 : 0
        (g.batch, g.alpha) = (1, product.alpha)
        return g
    }

    static func workspaceByteCount(_ product: StridedProduct, workers: Int) -> Int {
        var form = form(product)
        return Int(clamping: sdx_gemm_f64_workspace_bytes(&form, Int32(workers)))
    }

    static func multiply(
        _ product: StridedProduct, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
        _ c: UnsafeMutablePointer<Double>, pool: OpaquePointer?, workspace: UnsafeMutableRawPointer?
    ) {
        var form = form(product)
        (form.a, form.b, form.c) = (a, b, c)
        sdx_gemm_f64_run(pool, &form, workspace)
    }

    static func softmax(_ x: UnsafeMutablePointer<Double>, count: Int) {
        var largest = -Double.infinity
        for i in 0..<count where !(x[i] <= largest) { largest = x[i] }
        var sum = 0.0
        for i in 0..<count {
            x[i] = exp(x[i] - largest)
            sum += x[i]
        }
        for i in 0..<count { x[i] /= sum }
    }
}
