/// Where tiles begin along one axis.
///
/// An image shorter than the tile lies in its middle: the only tile begins at −⌊(tile − count) / 2⌋.
enum TileStarts {
    /// As MONAI's `sliding_window_inference`: steps of ⌊tile · (1 − overlap)⌋, 1 at least; the last tile moves inside.
    ///
    /// - Parameters:
    ///   - count: voxels along the axis, 1 or more.
    ///   - tile: voxels of a tile, 1 or more.
    ///   - overlap: the share of a tile that its neighbour covers too, 0 up to below 1.
    static func monai(count: Int, tile: Int, overlap: Double) -> [Int] {
        guard count > tile else { return [-((tile - count) / 2)] }
        let step = max(1, Int(Double(tile) * (1 - overlap)))
        return Array(stride(from: 0, to: count - tile, by: step)) + [count - tile]
    }

    /// As nnU-Net: the fewest steps of at most tile · (1 − overlap), spread evenly and rounded half to even.
    static func nnunet(count: Int, tile: Int, overlap: Double) -> [Int] {
        guard count > tile else { return [-((tile - count) / 2)] }
        // Below a sixteenth of a voxel steps are no finer: they would be without end.
        let most = max(Double(tile) * (1 - overlap), 1.0 / 16)
        let steps = Int((Double(count - tile) / most).rounded(.up)) + 1
        let width = Double(count - tile) / Double(max(1, steps - 1))
        return (0..<steps).map { Int((width * Double($0)).rounded(.toNearestOrEven)) }
    }
}
