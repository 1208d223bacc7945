/// A type that a volume can hold; 0 stands for "nothing here".
public protocol Voxel: Sendable, Equatable, BitwiseCopyable, ExpressibleByIntegerLiteral {}

extension Float: Voxel {}
extension UInt8: Voxel {}
extension UInt16: Voxel {}
extension Int16: Voxel {}
extension Int32: Voxel {}

/// Voxels that carry their place in the patient.
public struct Volume<Scalar: Voxel>: Sendable, Equatable {
    /// Dimensions and affine.
    public let grid: VoxelGrid
    /// One value a voxel, i fastest: voxel (i, j, k) is `voxels[i + dims.x * (j + dims.y * k)]`.
    /// Traps when the number changes. Single values are set in place.
    public var voxels: [Scalar] {
        get { storage }
        // An observer instead would copy the whole array for each value that another module sets.
        _modify {
            yield &storage
            precondition(storage.count == grid.count, "one value a voxel")
        }
    }
    private var storage: [Scalar]

    /// Wraps values; traps unless there is one a voxel.
    public init(grid: VoxelGrid, voxels: [Scalar]) {
        precondition(voxels.count == grid.count, "one value a voxel")
        self.grid = grid
        storage = voxels
    }

    /// A volume of one value.
    public init(grid: VoxelGrid, repeating value: Scalar = 0) {
        self.init(grid: grid, voxels: [Scalar](repeating: value, count: grid.count))
    }

    /// Voxels along i, j, k.
    public var dims: SIMD3<Int> { grid.dims }
    /// Millimetres between voxel centres.
    public var spacing: SIMD3<Double> { grid.spacing }
    /// From voxel indices to RAS+ millimetres.
    public var affine: Affine { grid.affine }

    /// The value of one voxel; traps outside the grid.
    public subscript(i: Int, j: Int, k: Int) -> Scalar {
        get { voxels[offset(i, j, k)] }
        set { voxels[offset(i, j, k)] = newValue }
    }

    private func offset(_ i: Int, _ j: Int, _ k: Int) -> Int {
        precondition(i >= 0 && i < dims.x && j >= 0 && j < dims.y && k >= 0 && k < dims.z, "outside the grid")
        return i + dims.x * (j + dims.y * k)
    }
}

/// 1 inside, 0 outside.
public typealias Mask = Volume<UInt8>

extension Volume where Scalar == Float {
    /// 1 where the value is above `threshold`, 0 elsewhere; a NaN compares false and is outside.
    public func mask(above threshold: Float) -> Mask {
        Mask(grid: grid, voxels: voxels.map { $0 > threshold ? 1 : 0 })
    }
}
