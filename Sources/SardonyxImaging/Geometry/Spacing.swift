/// How a spacing is turned into a whole number of voxels.
public enum SpacingRule: String, Sendable, CaseIterable {
    /// The field of view stays, outer face to outer face, in round(n · old spacing / new) voxels, so that the spacing
    /// is met to within that rounding: nnU-Net's rule.
    case faces
    /// The first voxel's centre stays, the spacing is met exactly, and the last centre lies within half a voxel of
    /// where it was: MONAI's `Spacing`, without `scale_extent`.
    case centres
}

extension VoxelGrid {
    /// The grid with another spacing (mm along i, j, k; an axis whose value is not a positive number keeps its own).
    /// Halves are rounded to even, as Python does; an axis keeps one voxel at least.
    ///
    /// With `.centres`, as in MONAI, an axis within 1e-3 mm of the spacing wanted stays as it is, and the axes are put
    /// at right angles. Where they were not, be it by an oblique header's rounding, the new grid lies around the old
    /// one's middle instead of at its first voxel. A shear leaves no `ResamplingPlan` between the two, but a
    /// `GridResampling`.
    ///
    /// - Throws: `ImagingError` `.badGeometry` when the affine has no inverse, `.tooLarge` when the voxels' number
    ///   overflows.
    public func respaced(to wanted: SIMD3<Double>, by rule: SpacingRule) throws -> VoxelGrid {
        guard affine.isInvertible else {
            throw ImagingError(.badGeometry, problem: "the volume's affine has no inverse", remedy: "repair its header")
        }
        let old = spacing
        var new = wanted
        for axis in 0..<3 where !(wanted[axis] > 0 && wanted[axis].isFinite) { new[axis] = old[axis] }
        if rule == .faces {
            return resized(to: try VoxelGrid.whole(old / new * SIMD3<Double>(dims), at: new))
        }
        for axis in 0..<3 where abs(old[axis] - new[axis]) <= 1e-3 { new[axis] = old[axis] }
        return try respacedAroundCentres(new)
    }

    private func respacedAroundCentres(_ spacing: SIMD3<Double>) throws -> VoxelGrid {
        // Right angles: each axis without its part along those before.
        var columns: [SIMD3<Double>] = []
        for axis in 0..<3 {
            let step = affine.column(axis)
            let rest = columns.reduce(step) { $0 - $1 * ($1 * step).sum() }
            columns.append(rest / Affine.length(rest))
        }
        var turned = Affine(
            columns: columns[0] * spacing.x, columns[1] * spacing.y, columns[2] * spacing.z, origin: .zero)
        let corners = box.corners.map { affine($0) }
        let places = corners.map { corner in
            SIMD3((columns[0] * corner).sum(), (columns[1] * corner).sum(), (columns[2] * corner).sum()) / spacing
        }
        let low = places.reduce(places[0]) { pointwiseMin($0, $1) }
        let high = places.reduce(places[0]) { pointwiseMax($0, $1) }
        let dims = try VoxelGrid.whole(high - low + 1, at: spacing)
        if let first = places.firstIndex(where: { all($0 - low .< 1e-8) }) {
            turned = turned.moved(to: corners[first])
        } else {
            let middle = SIMD3<Double>(self.dims) / 2
            turned = turned.moved(to: affine(middle) - turned(SIMD3<Double>(dims) / 2))
        }
        return VoxelGrid(dims: dims, affine: turned)
    }

    private static func whole(_ sizes: SIMD3<Double>, at spacing: SIMD3<Double>) throws -> SIMD3<Int> {
        let rounded = sizes.rounded(.toNearestOrEven)
        // Below 2⁵³ all in all, so that neither the count nor its bytes overflow.
        guard all(rounded .< 1e15), rounded.x * rounded.y * rounded.z < 9e15 else {
            let text = (0..<3).map { Format.short(spacing[$0]) }.joined(separator: "×")
            throw ImagingError(
                .tooLarge, problem: "a grid of \(text) mm would have too many voxels", remedy: "ask for a wider spacing"
            )
        }
        return SIMD3(max(1, Int(rounded.x)), max(1, Int(rounded.y)), max(1, Int(rounded.z)))
    }
}

extension Affine {
    /// The same steps from another origin.
    fileprivate func moved(to origin: SIMD3<Double>) -> Affine {
        Affine(columns: column(0), column(1), column(2), origin: origin)
    }
}

/// nnU-Net's rule for thick slices.
public enum Anisotropy {
    /// The axis that is resampled apart from the others, by nearest neighbour while they are resampled slice by slice:
    /// the coarse one of the old spacing when that is over `threshold` times the finest, else of the new one. `nil`
    /// when neither is, or when two axes are equally coarse.
    public static func separateAxis(
        from old: SIMD3<Double>, to new: SIMD3<Double>, threshold: Double = 3
    ) -> Int? {
        guard let spacing = [old, new].first(where: { $0.max() / $0.min() > threshold }) else { return nil }
        let coarse = (0..<3).filter { spacing[$0] == spacing.max() }
        return coarse.count == 1 ? coarse[0] : nil
    }
}
