#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How much each voxel of a tile counts where tiles overlap, row-major over the tile's axes; all above 0.
enum TileWeights {
    /// MONAI's Gaussian: exp(−d² / 2σ²) by axis around the tile's middle, σ = `sigma` · side, never below 0.001.
    static func monai(size: [Int], sigma: Double) -> [Float] {
        let axes = size.map { side -> [Float] in
            let deviation = Float(sigma * Double(side))
            return (0..<side).map { index in
                let distance = Float(index) - Float(side - 1) / 2
                return expf(-distance * distance / (2 * deviation * deviation))
            }
        }
        let map = product(axes)
        let floor = max(map.min() ?? 1, 1e-3)
        return map.map { max($0, floor) }
    }

    /// nnU-Net's Gaussian: SciPy's `gaussian_filter` (cut at 4 σ) of a single 1 at ⌊side / 2⌋, σ = `sigma` · side,
    /// divided by its maximum; zeros become the least value above 0.
    static func nnunet(size: [Int], sigma: Double) -> [Float] {
        let axes = size.map { side -> [Float] in
            let deviation = sigma * Double(side)
            let radius = Int(4 * deviation + 0.5)
            var values = [Double](repeating: 0, count: side)
            for index in 0..<side where abs(index - side / 2) <= radius {
                let distance = Double(index - side / 2)
                values[index] = exp(-distance * distance / (2 * deviation * deviation))
            }
            return values.map { Float($0) }
        }
        let map = product(axes)
        let floor = map.reduce(Float.infinity) { $1 > 0 ? min($0, $1) : $0 }
        return map.map { $0 > 0 ? $0 : floor }
    }

    private static func product(_ axes: [[Float]]) -> [Float] {
        axes.reduce([1]) { map, axis in map.flatMap { value in axis.map { value * $0 } } }
    }
}
