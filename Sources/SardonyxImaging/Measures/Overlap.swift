extension Volume where Scalar == UInt8 {
    /// Dice overlap: 2 |A ∩ B| / (|A| + |B|), 0 to 1; two empty masks agree (1).
    ///
    /// - Throws: `ImagingError` `.mismatch` unless both lie on the same grid.
    public func dice(_ other: Mask) throws -> Double {
        guard grid.isAligned(with: other.grid) else {
            throw ImagingError(
                .mismatch, problem: "the masks lie on different grids (\(grid.summary); \(other.grid.summary))",
                remedy: "resample one onto the other")
        }
        var both = 0
        var sum = 0
        for (a, b) in zip(voxels, other.voxels) {
            both += a != 0 && b != 0 ? 1 : 0
            sum += (a != 0 ? 1 : 0) + (b != 0 ? 1 : 0)
        }
        return sum == 0 ? 1 : 2 * Double(both) / Double(sum)
    }
}
