/// Area of the triangles that marching cubes draw at level 0.5 through a cell of 2×2×2 voxels that are in or out.
///
/// Corners of triangles lie half-way along the cell's edges. On each face of the cell a segment cuts off every run of
/// inside corners, so that two that face each other across a diagonal stay apart; segments join into loops of 3 to 7
/// corners. A loop becomes the fan with the largest area for cubic voxels, one of 7 the fan from the corner about which
/// it is symmetric. Those are the areas of Lorensen's table (`skimage.measure.marching_cubes`, method "lorensen").
enum MarchingCubes {
    /// The area for each of the 256 ways; bit i + 2j + 4k of the index is voxel (i, j, k). In mm² for steps in mm.
    static func areas(steps: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)) -> [Double] {
        fans.map { fans in
            fans.reduce(0) { sum, fan in
                sum + area(fan.map { (steps.0 * $0.x + steps.1 * $0.y + steps.2 * $0.z) * 0.5 }, from: 0)
            }
        }
    }

    /// For each of the 256 ways its loops of corners in half voxels, each from the corner from which its fan opens.
    private static let fans = (0..<256).map { cell in
        loops(cell).map { loop in
            let first = apex(loop)
            return Array(loop[first...] + loop[..<first])
        }
    }

    private static func loops(_ cell: Int) -> [[SIMD3<Double>]] {
        // The edge after each edge of a loop; an edge's key is 9z + 3y + x of its middle in half voxels.
        var next = [Int](repeating: -1, count: 27)
        let place = [0, 2, 6, 8, 18, 20, 24, 26]
        func edge(_ a: Int, _ b: Int) -> Int { (place[a] + place[b]) / 2 }
        func isInside(_ corner: Int) -> Bool { cell >> corner & 1 == 1 }
        for face in 0..<6 {
            let (axis, side) = (face / 2, face % 2)
            let (u, v) = (1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3))
            // Counter-clockwise as seen from outside.
            let around = (side == 1 ? [0, u, u + v, v] : [v, u + v, u, 0]).map { $0 + side << axis }
            for i in 0..<4 where isInside(around[i]) && !isInside(around[(i + 1) % 4]) {
                var first = i
                while isInside(around[(first + 3) % 4]) { first = (first + 3) % 4 }
                next[edge(around[i], around[(i + 1) % 4])] = edge(around[(first + 3) % 4], around[first])
            }
        }
        var loops: [[SIMD3<Double>]] = []
        for start in 0..<27 where next[start] >= 0 {
            var loop: [SIMD3<Double>] = []
            var at = start
            while next[at] >= 0 {
                loop.append(SIMD3(Double(at % 3), Double(at / 3 % 3), Double(at / 9)))
                (at, next[at]) = (next[at], -1)
            }
            loops.append(loop)
        }
        return loops
    }

    /// The corner of a loop from which its fan opens.
    private static func apex(_ loop: [SIMD3<Double>]) -> Int {
        let n = loop.count
        if n == 7 {
            func far(_ a: Int, _ b: Int) -> Double { Affine.length(loop[a % n] - loop[b % n]) }
            return (0..<n).first { v in (1...3).allSatisfy { far(v, v + $0) == far(v, v + n - $0) } }!
        }
        let areas = (0..<n).map { area(loop, from: $0) }
        return areas.firstIndex(of: areas.max()!)!
    }

    private static func area(_ loop: [SIMD3<Double>], from apex: Int) -> Double {
        let n = loop.count
        return (1..<n - 1).reduce(0) { sum, i in
            let (a, b) = (loop[(apex + i) % n] - loop[apex], loop[(apex + i + 1) % n] - loop[apex])
            return sum + Affine.length(Affine.cross(a, b)) / 2
        }
    }
}

/// Areas of the surfaces of many regions at once, from the runs of slices in order; outside the volume there is nothing,
/// so that surfaces are closed. Memory: the runs of two slices, 12 bytes each.
struct SurfaceScanner {
    /// For each region, in mm²; whole after `finish`.
    private(set) var areas: [Double]
    private let table: [Double]
    private let height: Int
    private var current: Slice
    private var earlier: Slice

    /// Runs of measured regions, row by row; a row of none before the first and after the last.
    private struct Slice {
        var runs: [Run] = []
        /// Runs `rows[j]..<rows[j + 1]` lie in row j - 1.
        var rows: [Int]
    }

    /// Voxels start..<end of a region; regions count from 1.
    private struct Run {
        let start, end, region: Int32
    }

    init(dims: SIMD3<Int>, affine: Affine, regions: Int) {
        areas = [Double](repeating: 0, count: regions)
        table = MarchingCubes.areas(steps: (affine.column(0), affine.column(1), affine.column(2)))
        height = dims.y
        current = Slice(rows: [Int](repeating: 0, count: height + 3))
        earlier = current
    }

    /// The next slice; `ids` is the region of each run, -1 for none.
    mutating func add(_ runs: LabelRuns, _ ids: [Int32]) {
        swap(&current, &earlier)
        current.runs.removeAll(keepingCapacity: true)
        for j in 0..<height {
            current.rows[j + 1] = current.runs.count
            for r in runs.rows[j]..<runs.rows[j + 1] where ids[r] >= 0 {
                current.runs.append(Run(start: runs.runs[r].start, end: runs.runs[r].end, region: ids[r] + 1))
            }
        }
        for row in [height + 1, height + 2] { current.rows[row] = current.runs.count }
        cells()
    }

    mutating func finish() {
        swap(&current, &earlier)
        current = Slice(rows: [Int](repeating: 0, count: height + 3))
        cells()
    }

    /// The cells between the two slices.
    private mutating func cells() {
        areas.withUnsafeMutableBufferPointer { areas in
            earlier.runs.withUnsafeBufferPointer { upper in
                current.runs.withUnsafeBufferPointer { lower in
                    for j in 0...height {
                        var rows = FourRows(
                            Row(upper, earlier.rows, j), Row(upper, earlier.rows, j + 1),
                            Row(lower, current.rows, j), Row(lower, current.rows, j + 1))
                        rows.cells(table, areas)
                    }
                }
            }
        }
    }

    /// One row's regions from left to right.
    private struct Row {
        private let runs: UnsafeBufferPointer<Run>
        private var next = 0
        /// The region at the place, and where another begins.
        private(set) var region: Int32 = 0
        private(set) var until: Int32

        /// SAFETY: `runs` must stay where they are as long as the row is used.
        init(_ runs: UnsafeBufferPointer<Run>, _ rows: [Int], _ j: Int) {
            self.runs = UnsafeBufferPointer(rebasing: runs[rows[j]..<rows[j + 1]])
            until = self.runs.first?.start ?? .max
        }

        @inline(__always)
        mutating func advance(to place: Int32) {
            guard until == place else { return }
            if next < runs.count, runs[next].start == place {
                (region, until) = (runs[next].region, runs[next].end)
                next += 1
            } else {
                (region, until) = (0, next < runs.count ? runs[next].start : .max)
            }
        }
    }

    /// The cells between four neighbouring rows: of two slices two each.
    private struct FourRows {
        private var a, b, c, d: Row

        init(_ a: Row, _ b: Row, _ c: Row, _ d: Row) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

        /// Adds the cells' areas; alike ones, where no row changes, at once.
        mutating func cells(_ table: [Double], _ areas: UnsafeMutableBufferPointer<Double>) {
            // Cell x lies between voxels x and x + 1.
            var x: Int32 = -1
            while true {
                let place = min(min(a.until, b.until), min(c.until, d.until))
                if place == .max { return }
                let left = (a.region, b.region, c.region, d.region)
                let isWhole = left.0 == left.1 && left.0 == left.2 && left.0 == left.3
                if place - 1 > x, !isWhole { FourRows.add(left, left, Double(place - 1 - x), table, areas) }
                a.advance(to: place)
                b.advance(to: place)
                c.advance(to: place)
                d.advance(to: place)
                FourRows.add(left, (a.region, b.region, c.region, d.region), 1, table, areas)
                x = place
            }
        }

        private typealias Corners = (Int32, Int32, Int32, Int32)

        /// `count` cells of these regions at their left and right corners. Two scalars a row are faster than a vector.
        @inline(__always)
        private static func add(
            _ left: Corners, _ right: Corners, _ count: Double, _ table: [Double],
            _ areas: UnsafeMutableBufferPointer<Double>
        ) {
            var region = Int32.max
            while true {
                region = max(next(left, below: region), next(right, below: region))
                if region == 0 { return }
                // Bits as the table has them: i, then j, then k.
                let bits = bits(left, region) | bits(right, region) << 1
                if bits == 255 { return }
                areas[Int(region) - 1] += count * table[bits]
            }
        }

        /// The largest region below another; 0 for none.
        @inline(__always)
        private static func next(_ corners: Corners, below region: Int32) -> Int32 {
            func held(_ corner: Int32) -> Int32 { corner < region ? corner : 0 }
            return max(max(held(corners.0), held(corners.1)), max(held(corners.2), held(corners.3)))
        }

        @inline(__always)
        private static func bits(_ corners: Corners, _ region: Int32) -> Int {
            (corners.0 == region ? 1 : 0) | (corners.1 == region ? 4 : 0) | (corners.2 == region ? 16 : 0)
                | (corners.3 == region ? 64 : 0)
        }
    }
}
