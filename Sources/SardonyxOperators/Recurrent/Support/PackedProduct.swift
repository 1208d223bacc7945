import CKernels
import SardonyxGraph

/// A type that the C kernels multiply matrices in.
protocol MatrixNumber: RealMath {
    /// Bytes of a packed k × n matrix; `Int.max` or more when that overflows.
    static func packedByteCount(k: Int, n: Int) -> UInt
    /// Packs a matrix that is stored as n rows of k.
    static func pack(k: Int, n: Int, rows: UnsafePointer<Self>, into packed: UnsafeMutablePointer<Self>)
    static func workspaceByteCount(_ product: PackedProduct<Self>, workers: Int) -> UInt
    static func run(_ product: PackedProduct<Self>, workspace: UnsafeMutableRawPointer?, pool: OpaquePointer?)
}

/// c[m, n] = Σₖ a[m, k] · b[k, n] + bias[n] + addend[m, n], with dense a and c and a packed b.
struct PackedProduct<T> {
    let m: Int
    let n: Int
    let k: Int
    var a: UnsafePointer<T>?
    let b: UnsafePointer<T>
    var c: UnsafeMutablePointer<T>?
    var bias: UnsafePointer<T>?
    var addend: UnsafePointer<T>?
    /// Elements between two rows of the addend.
    var addendStride = 0
}

extension Float: MatrixNumber {
    static func packedByteCount(k: Int, n: Int) -> UInt { UInt(sdx_gemm_f32_packed_b_bytes(Int64(k), Int64(n))) }

    static func pack(k: Int, n: Int, rows: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
        sdx_gemm_f32_pack_b(Int64(k), Int64(n), rows, Int64(k), 1, packed)
    }

    static func workspaceByteCount(_ product: PackedProduct<Float>, workers: Int) -> UInt {
        var form = product.form
        return UInt(sdx_gemm_f32_workspace_bytes(&form, Int32(workers)))
    }

    static func run(_ product: PackedProduct<Float>, workspace: UnsafeMutableRawPointer?, pool: OpaquePointer?) {
        var form = product.form
        sdx_gemm_f32_run(pool, &form, workspace)
    }
}

extension Double: MatrixNumber {
    static func packedByteCount(k: Int, n: Int) -> UInt { UInt(sdx_gemm_f64_packed_b_bytes(Int64(k), Int64(n))) }

    static func pack(k: Int, n: Int, rows: UnsafePointer<Double>, into packed: UnsafeMutablePointer<Double>) {
        sdx_gemm_f64_pack_b(Int64(k), Int64(n), rows, Int64(k), 1, packed)
    }

    static func workspaceByteCount(_ product: PackedProduct<Double>, workers: Int) -> UInt {
        var form = product.form
        return UInt(sdx_gemm_f64_workspace_bytes(&form, Int32(workers)))
    }

    static func run(_ product: PackedProduct<Double>, workspace: UnsafeMutableRawPointer?, pool: OpaquePointer?) {
        var form = product.form
        sdx_gemm_f64_run(pool, &form, workspace)
    }
}

extension PackedProduct<Float> {
    fileprivate var form: sdx_gemm_f32 {
        var g = sdx_gemm_f32()
        (g.m, g.n, g.k, g.lda, g.ldb, g.ldc) = (Int64(m), Int64(n), Int64(k), Int64(k), Int64(n), Int64(n))
        (g.a, g.packed_b, g.c, g.column_bias, g.d) = (a, b, c, bias, addend)
        (g.batch, g.alpha, g.beta) = (1, 1, addend == nil ? 0 : 1)
        (g.d_row_stride, g.d_column_stride) = (Int64(addendStride), 1)
        return g
    }
}

extension PackedProduct<Double> {
    fileprivate var form: sdx_gemm_f64 {
        var g = sdx_gemm_f64()
        (g.m, g.n, g.k, g.lda, g.ldb, g.ldc) = (Int64(m), Int64(n), Int64(k), Int64(k), Int64(n), Int64(n))
        (g.a, g.packed_b, g.c, g.column_bias, g.d) = (a, b, c, bias, addend)
        (g.batch, g.alpha, g.beta) = (1, 1, addend == nil ? 0 : 1)
        (g.d_row_stride, g.d_column_stride) = (Int64(addendStride), 1)
        return g
    }
}

/// A weight matrix in packed form: packed once when it is constant, else at the start of each run into the workspace.
struct PackedMatrix<T: MatrixNumber>: Sendable {
    let k: Int
    let n: Int
    private let input: Int
    /// Where the matrix begins in its input, in elements.
    private let start: Int
    /// The packed form of a constant matrix.
    let storage: TensorStorage?
    private let workspaceOffset: Int

    /// - Parameters:
    ///   - input: the input that holds the matrix as n rows of k.
    ///   - start: the first row's place in it, in elements.
    init(
        _ context: PreparationContext, input: Int, start: Int, k: Int, n: Int, _ layout: inout Workspace.Layout
    ) throws {
        (self.k, self.n, self.input, self.start) = (k, n, input, start)
        let bytes = T.packedByteCount(k: k, n: n)
        guard bytes < UInt(Int.max) / 4 else { throw SardonyxError(.memory, "a matrix of \(k) × \(n) is too large") }
        guard let constant = context.constant(input) else {
            storage = nil
            workspaceOffset = layout.reserve(Int(bytes))
            return
        }
        workspaceOffset = 0
        storage = try context.packedWeights.pack(
            context.inputValues[input], constant,
            layout: "rows \(k)×\(n) at \(start) \(T.dataType) isa\(sdx_isa_current().rawValue)", byteCount: Int(bytes)
        ) { source, target in
            // SAFETY: inference has checked that the constant holds `start + n · k` elements at least.
            let rows = source.assumingMemoryBound(to: T.self) + start
            T.pack(k: k, n: n, rows: rows, into: target.assumingMemoryBound(to: T.self))
        }
    }

    /// Packs a matrix that is not constant.
    func packIfNeeded(_ frame: Frame) {
        guard storage == nil else { return }
        T.pack(
            k: k, n: n, rows: frame.input(input, as: T.self) + start,
            into: frame.scratch(workspaceOffset, as: T.self))
    }

    func packed(_ frame: Frame) -> UnsafePointer<T> {
        if let storage { return UnsafePointer(storage.base.assumingMemoryBound(to: T.self)) }
        return UnsafePointer(frame.scratch(workspaceOffset, as: T.self))
    }

    /// Scratch bytes of a product with `m` rows.
    func productByteCount(m: Int, workers: Int) throws -> Int {
        // Only whether b is packed matters to the size.
        let anywhere = UnsafePointer<T>(bitPattern: 64).unsafelyUnwrapped
        let bytes = T.workspaceByteCount(PackedProduct(m: m, n: n, k: k, b: anywhere), workers: workers)
        guard bytes < UInt(Int.max) / 4 else {
            throw SardonyxError(.memory, "the product \(m) × \(k) × \(n) is too large")
        }
        return Int(bytes)
    }
}
