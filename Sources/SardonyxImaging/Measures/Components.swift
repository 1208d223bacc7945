/// The connected parts of a mask; voxels touch by their faces (6 neighbours), as in SciPy's `label`.
public struct Components: Sendable, Equatable {
    /// 0 outside, else 1…count, numbered by each part's first voxel in memory order.
    public let labels: Volume<Int32>
    /// Voxels in each part; `sizes[0]` belongs to label 1.
    public let sizes: [Int]

    /// Number of parts.
    public var count: Int { sizes.count }

    /// Finds the parts of the voxels that are not 0. Memory: 4 bytes a voxel and a table of runs.
    public init(of mask: Mask) {
        let (nx, ny, nz) = (mask.dims.x, mask.dims.y, mask.dims.z)
        // Runs along i, joined with those of the row before and of the slice before.
        var runs: [(start: Int32, end: Int32)] = []
        var parent: [Int32] = []
        var rowStart = [Int](repeating: 0, count: ny * nz + 1)
        func root(_ run: Int32) -> Int32 {
            var r = run
            while parent[Int(r)] != r {
                parent[Int(r)] = parent[Int(parent[Int(r)])]
                r = parent[Int(r)]
            }
            return r
        }
        func join(_ row: Int, _ earlier: Int) {
            var a = rowStart[row]
            var b = rowStart[earlier]
            let (aEnd, bEnd) = (runs.count, rowStart[earlier + 1])
            while a < aEnd, b < bEnd {
                if runs[a].start < runs[b].end, runs[b].start < runs[a].end {
                    let (p, q) = (root(Int32(a)), root(Int32(b)))
                    // The smaller number wins: it is the one that comes first in memory.
                    if p < q { parent[Int(q)] = p } else { parent[Int(p)] = q }
                }
                if runs[a].end < runs[b].end { a += 1 } else { b += 1 }
            }
        }
        mask.voxels.withUnsafeBufferPointer { voxels in
            for row in 0..<(ny * nz) {
                rowStart[row] = runs.count
                var i = 0
                while i < nx {
                    while i < nx, voxels[row * nx + i] == 0 { i += 1 }
                    if i == nx { break }
                    let start = i
                    while i < nx, voxels[row * nx + i] != 0 { i += 1 }
                    parent.append(Int32(runs.count))
                    runs.append((Int32(start), Int32(i)))
                }
                if row % ny != 0 { join(row, row - 1) }
                if row >= ny { join(row, row - ny) }
            }
        }
        rowStart[ny * nz] = runs.count
        var number = [Int32](repeating: 0, count: runs.count)
        var sizes: [Int] = []
        for run in 0..<runs.count {
            let r = Int(root(Int32(run)))
            if r == run {
                sizes.append(0)
                number[run] = Int32(sizes.count)
            }
            number[run] = number[r]
            sizes[Int(number[run]) - 1] += Int(runs[run].end - runs[run].start)
        }
        var labels = [Int32](repeating: 0, count: mask.grid.count)
        for row in 0..<(ny * nz) {
            for run in rowStart[row]..<rowStart[row + 1] {
                for i in Int(runs[run].start)..<Int(runs[run].end) { labels[row * nx + i] = number[run] }
            }
        }
        self.labels = Volume<Int32>(grid: mask.grid, voxels: labels)
        self.sizes = sizes
    }

    /// The voxels of the largest part; of equals the first. Empty when there is none.
    public func largest() -> Mask {
        guard let most = sizes.max() else { return Mask(grid: labels.grid) }
        let label = Int32(sizes.firstIndex(of: most)! + 1)
        return Mask(grid: labels.grid, voxels: labels.voxels.map { $0 == label ? 1 : 0 })
    }
}

extension Volume where Scalar == UInt8 {
    /// Only the largest connected part (faces touch).
    public func largestComponent() -> Mask { Components(of: self).largest() }

    /// Fills what is outside and cannot be reached from the border of the grid through faces, as SciPy's
    /// `binary_fill_holes`.
    public func fillingHoles() -> Mask {
        let outside = Components(of: Mask(grid: grid, voxels: voxels.map { $0 == 0 ? 1 : 0 }))
        var open = [Bool](repeating: false, count: outside.count + 1)
        open[0] = true
        for k in 0..<dims.z {
            for j in 0..<dims.y {
                let wholeRow = k == 0 || k == dims.z - 1 || j == 0 || j == dims.y - 1
                let row = dims.x * (j + dims.y * k)
                for i in wholeRow ? Array(0..<dims.x) : [0, dims.x - 1] {
                    open[Int(outside.labels.voxels[row + i])] = true
                }
            }
        }
        var filled = self
        filled.voxels = zip(voxels, outside.labels.voxels).map { $0 != 0 || !open[Int($1)] ? 1 : 0 }
        return filled
    }
}
