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
/// so that surfaces are closed. Memory: 12 bytes for each run, and 24 for each row, of two slices. Runs of a row that touch
/// are of different labels, as `LabelRuns` has them.
struct SurfaceScanner {
    /// For each region, in mm²; whole after `finish`.
    private(set) var areas: [Double]
    private let table: [Double]
    private let height: Int
    private var current: Slice
    private var earlier: Slice

    /// Runs of measured regions, row by row, after each row one that begins at `.max`; a row of none before the first
    /// and after the last.
    private struct Slice {
        var runs: [Run] = []
        /// The first run of row j - 1.
        var rows: [Int]
        /// The region of all runs of row j - 1: 0 without runs, `several` where they differ.
        var regions: [Int32]
        /// Whether any row has runs.
        var isEmpty = true

        static let several = Int32.max

        init(height: Int) {
            rows = [Int](repeating: 0, count: height + 2)
            regions = [Int32](repeating: 0, count: height + 2)
            runs = [Run.end]
        }

        /// `ids` is the region of each run, -1 for none.
        mutating func take(_ source: LabelRuns, _ ids: [Int32]) {
            if isEmpty, source.runs.isEmpty { return }
            runs.removeAll(keepingCapacity: true)
            // Rows without runs share it.
            runs.append(Run.end)
            for j in 0..<source.height {
                let first = runs.count
                var region: Int32 = 0
                for r in source.rows[j]..<source.rows[j + 1] where ids[r] >= 0 {
                    let own = ids[r] + 1
                    region = region == 0 || region == own ? own : Slice.several
                    runs.append(Run(start: source.runs[r].start, end: source.runs[r].end, region: own))
                }
                if runs.count > first { runs.append(Run.end) }
                (rows[j + 1], regions[j + 1]) = (runs.count > first ? first : 0, region)
            }
            isEmpty = runs.count == 1
        }
    }

    /// Voxels start..<end of a region; regions count from 1.
    private struct Run {
        let start, end, region: Int32
        static let end = Run(start: .max, end: .max, region: 0)
    }

    init(dims: SIMD3<Int>, affine: Affine, regions: Int) {
        areas = [Double](repeating: 0, count: regions)
        table = MarchingCubes.areas(steps: (affine.column(0), affine.column(1), affine.column(2)))
        height = dims.y
        current = Slice(height: height)
        earlier = current
    }

    /// The next slice; `ids` is the region of each run, -1 for none.
    mutating func add(_ runs: LabelRuns, _ ids: [Int32]) {
        swap(&current, &earlier)
        current.take(runs, ids)
        cells()
    }

    mutating func finish() {
        swap(&current, &earlier)
        current = Slice(height: height)
        cells()
    }

    /// The cells between the two slices.
    private mutating func cells() {
        if earlier.isEmpty, current.isEmpty { return }
        areas.withUnsafeMutableBufferPointer { areas in
            table.withUnsafeBufferPointer { table in
                earlier.runs.withUnsafeBufferPointer { upper in
                    current.runs.withUnsafeBufferPointer { lower in
                        for j in 0...height {
                            let (a, b) = (earlier.regions[j], earlier.regions[j + 1])
                            let (c, d) = (current.regions[j], current.regions[j + 1])
                            let region = max(max(a, b), max(c, d))
                            // SAFETY: rows begin within the runs, and each ends with one at `.max`.
                            let rows = (
                                upper.baseAddress! + earlier.rows[j], upper.baseAddress! + earlier.rows[j + 1],
                                lower.baseAddress! + current.rows[j], lower.baseAddress! + current.rows[j + 1]
                            )
                            func isSole(_ other: Int32) -> Bool { other == 0 || other == region }
                            if region < Slice.several, isSole(a), isSole(b), isSole(c), isSole(d) {
                                if region > 0 { SurfaceScanner.cells(rows, table, &areas[Int(region) - 1]) }
                            } else {
                                var rows = FourRows(Row(rows.0), Row(rows.1), Row(rows.2), Row(rows.3))
                                rows.cells(table, areas)
                            }
                        }
                    }
                }
            }
        }
    }

    private typealias Starts = (UnsafePointer<Run>, UnsafePointer<Run>, UnsafePointer<Run>, UnsafePointer<Run>)

    /// Adds the areas of the cells between four rows that have runs of one region only, in the order of `FourRows`.
    private static func cells(_ rows: Starts, _ table: UnsafeBufferPointer<Double>, _ sum: inout Double) {
        /// A row's next place where it changes.
        struct Edge {
            private var place: UnsafeRawPointer

            init(_ run: UnsafePointer<Run>) { place = UnsafeRawPointer(run) }

            // SAFETY: a run is three numbers, of which the third is passed over.
            var next: Int32 { place.load(as: Int32.self) }

            /// Passes a place; changes the row's bit if it is an edge. Without a branch, for none would be foreseen.
            @inline(__always)
            mutating func pass(_ at: Int32, _ bits: inout Int, _ shift: Int) {
                let isHere = next == at ? 1 : 0
                place += (isHere &+ isHere & bits &>> shift) &* MemoryLayout<Int32>.stride
                bits ^= isHere &<< shift
            }
        }
        var (a, b, c, d) = (Edge(rows.0), Edge(rows.1), Edge(rows.2), Edge(rows.3))
        var area = sum
        // Bits as the table has them for the cell's left corners: j, then k.
        var left = 0
        // Cell x lies between voxels x and x + 1.
        var x: Int32 = -1
        while true {
            let place = min(min(a.next, b.next), min(c.next, d.next))
            if place == .max { break }
            // Alike cells, where no row changes, at once; the table has 0 for those all inside or all outside.
            area += Double(max(0, place &- 1 &- x)) * table[left | left &<< 1]
            var right = left
            a.pass(place, &right, 0)
            b.pass(place, &right, 2)
            c.pass(place, &right, 4)
            d.pass(place, &right, 6)
            area += table[left | right &<< 1]
            (left, x) = (right, place)
        }
        sum = area
    }

    /// One row's regions from left to right.
    private struct Row {
        private var next: UnsafePointer<Run>
        /// The region at the place, and where another begins.
        private(set) var region: Int32 = 0
        private(set) var until: Int32

        /// SAFETY: the row's runs must stay where they are as long as it is used.
        init(_ first: UnsafePointer<Run>) { (next, until) = (first, first.pointee.start) }

        @inline(__always)
        mutating func advance(to place: Int32) {
            guard until == place else { return }
            if next.pointee.start == place {
                (region, until) = (next.pointee.region, next.pointee.end)
                next += 1
            } else {
                (region, until) = (0, next.pointee.start)
            }
        }
    }

    /// The cells between four neighbouring rows: of two slices two each.
    private struct FourRows {
        private var a, b, c, d: Row

        init(_ a: Row, _ b: Row, _ c: Row, _ d: Row) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

        /// Adds the cells' areas; alike ones, where no row changes, at once.
        mutating func cells(_ table: UnsafeBufferPointer<Double>, _ areas: UnsafeMutableBufferPointer<Double>) {
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
            _ left: Corners, _ right: Corners, _ count: Double, _ table: UnsafeBufferPointer<Double>,
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
