/// From stored voxels to a slice's values: `start` plus `steps` times the indices.
struct SliceRoute {
    let width: Int
    let height: Int
    let step: (across: Double, down: Double)
    private let dims: SIMD3<Int>
    private let through: (axis: Int, index: Int)
    private var start = 0
    private var steps = SIMD3<Int>.zero

    init(_ address: SliceAddress, _ grid: VoxelGrid) {
        let route = grid.route(to: .ras)
        let axes = address.plane.axes
        let (across, down, through) = (route[axes.across], route[axes.down], route[axes.through])
        dims = grid.dims
        width = grid.dims[across.axis]
        height = grid.dims[down.axis]
        step = (grid.spacing[across.axis], grid.spacing[down.axis])
        self.through = (
            through.axis, through.isReversed ? grid.dims[through.axis] - 1 - address.index : address.index
        )
        // Pictures run against the RAS axes.
        for (source, size, stride) in [(across, width, 1), (down, height, width)] {
            steps[source.axis] = source.isReversed ? stride : -stride
            if !source.isReversed { start += (size - 1) * stride }
        }
    }

    /// The stored indices that the slice needs along an axis, of `whole`.
    private func needed(_ axis: Int, of whole: Range<Int>) -> Range<Int> {
        axis == through.axis ? whole.clamped(to: through.index..<(through.index + 1)) : whole
    }

    /// The rows that the slice needs of some stored slices.
    func rows(of slices: Range<Int>) -> Range<Int> {
        needed(2, of: slices).isEmpty ? 0..<0 : needed(1, of: 0..<dims.y)
    }

    /// Takes what a slab holds of the slice.
    func fill(_ values: inout [Float], from slab: VoxelSlab) {
        precondition((0..<dims[through.axis]).contains(through.index), "the slice lies in the grid")
        // Lines run along i or, where that goes through the slice, along j.
        let axis = through.axis == 0 ? 1 : 0
        let stride = steps[axis]
        let line = needed(axis, of: 0..<dims[axis])
        let others = axis == 0 ? needed(1, of: 0..<dims.y) : through.index..<(through.index + 1)
        values.withUnsafeMutableBufferPointer { values in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: line.count) { held in
                for k in needed(2, of: slab.slices) {
                    for other in others {
                        let (i, j) = axis == 0 ? (0, other) : (other, 0)
                        // SAFETY: i and j run over the whole grid, k over the slab, which has the rows; each index
                        // has its place in `values`.
                        slab.read(i, j, k, count: line.count, along: axis, into: held.baseAddress!)
                        let target = values.baseAddress! + (start + i * steps.x + j * steps.y + k * steps.z)
                        for n in 0..<line.count { target[n * stride] = held[n] }
                    }
                }
            }
        }
    }

    /// Takes what the runs of stored slice `k` hold of the slice; its values are 0 before.
    func fill(_ values: inout [Float], from runs: LabelRuns, _ k: Int) {
        precondition(runs.rows.count == dims.y + 1 && 0..<dims.z ~= k, "the runs of a slice of the grid")
        guard !needed(2, of: k..<(k + 1)).isEmpty else { return }
        let across = needed(0, of: 0..<dims.x)
        values.withUnsafeMutableBufferPointer { values in
            runs.runs.withUnsafeBufferPointer { all in
                for j in needed(1, of: 0..<dims.y) {
                    let target = start + j * steps.y + k * steps.z
                    for run in all[runs.rows[j]..<runs.rows[j + 1]] where run.label != 0 {
                        let part = (Int(run.start)..<Int(run.end)).clamped(to: across)
                        for i in part { values[target + i * steps.x] = Float(run.label) }
                    }
                }
            }
        }
    }
}
