/// world = A · (i, j, k, 1): from voxel indices to millimetres in patient space.
///
/// Patient space is RAS+: x grows to the patient's right, y to anterior, z to superior. Voxel centres have whole
/// indices, so index −0.5 is the outer face of the first voxel. The fourth row of the 4×4 matrix is always 0 0 0 1.
public struct Affine: Sendable, Equatable {
    /// The first three rows of the matrix; lanes are the factors of i, j, k and 1.
    public var x, y, z: SIMD4<Double>

    /// Makes the matrix from its first three rows.
    public init(_ x: SIMD4<Double>, _ y: SIMD4<Double>, _ z: SIMD4<Double>) {
        self.x = x
        self.y = y
        self.z = z
    }

    /// Spacing along the axes and no rotation: voxel (0, 0, 0) lies at `origin` (mm).
    public init(spacing: SIMD3<Double>, origin: SIMD3<Double> = .zero) {
        self.init(
            SIMD4(spacing.x, 0, 0, origin.x), SIMD4(0, spacing.y, 0, origin.y), SIMD4(0, 0, spacing.z, origin.z))
    }

    /// The matrix whose columns are the steps (mm) along i, j, k, and the place of voxel (0, 0, 0).
    public init(columns i: SIMD3<Double>, _ j: SIMD3<Double>, _ k: SIMD3<Double>, origin: SIMD3<Double>) {
        self.init(
            SIMD4(i.x, j.x, k.x, origin.x), SIMD4(i.y, j.y, k.y, origin.y), SIMD4(i.z, j.z, k.z, origin.z))
    }

    /// 1 mm voxels, voxel (0, 0, 0) at the origin, RAS.
    public static let identity = Affine(spacing: SIMD3(1, 1, 1))

    /// The step in mm along one voxel axis (0, 1, 2), or the origin (3).
    public func column(_ axis: Int) -> SIMD3<Double> { SIMD3(x[axis], y[axis], z[axis]) }

    /// Millimetres between voxel centres along i, j, k.
    public var spacing: SIMD3<Double> {
        SIMD3(Affine.length(column(0)), Affine.length(column(1)), Affine.length(column(2)))
    }

    /// Signed volume of one voxel in mm³; negative for left-handed grids such as LAS.
    public var determinant: Double {
        let (a, b, c) = (column(0), column(1), column(2))
        return a.x * (b.y * c.z - b.z * c.y) - b.x * (a.y * c.z - a.z * c.y) + c.x * (a.y * b.z - a.z * b.y)
    }

    /// True when every entry is finite and the voxel axes span space: the matrix has an inverse.
    public var isInvertible: Bool {
        let all = x + y + z
        guard (0..<4).allSatisfy({ all[$0].isFinite }) else { return false }
        let steps = spacing
        let product = steps.x * steps.y * steps.z
        // Relative, so that micrometre voxels pass and axes that fall onto one plane do not.
        return product > 0 && product.isFinite && abs(determinant) > 1e-6 * product
    }

    /// The place in mm of a point given in voxel indices.
    public func callAsFunction(_ index: SIMD3<Double>) -> SIMD3<Double> {
        let v = SIMD4(index, 1)
        return SIMD3((x * v).sum(), (y * v).sum(), (z * v).sum())
    }

    /// The matrix that first applies `inner` and then this one.
    public func composed(after inner: Affine) -> Affine {
        func row(_ r: SIMD4<Double>) -> SIMD4<Double> {
            inner.x * r.x + inner.y * r.y + inner.z * r.z + SIMD4(0, 0, 0, r.w)
        }
        return Affine(row(x), row(y), row(z))
    }

    /// From millimetres to voxel indices; `nil` when the matrix has no inverse.
    public var inverse: Affine? {
        guard isInvertible else { return nil }
        let (a, b, c, o) = (column(0), column(1), column(2), column(3))
        let scale = 1 / determinant
        let rows = (Affine.cross(b, c) * scale, Affine.cross(c, a) * scale, Affine.cross(a, b) * scale)
        func row(_ r: SIMD3<Double>) -> SIMD4<Double> { SIMD4(r, -(r * o).sum()) }
        return Affine(row(rows.0), row(rows.1), row(rows.2))
    }

    static func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }

    static func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
    }
}
