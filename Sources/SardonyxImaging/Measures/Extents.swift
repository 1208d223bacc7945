/// Longest diameters of many regions at once, between voxel centres, from slices in order.
///
/// Kept are the corners of the convex hull of each region in each slice, 16 bytes each (a few dozen a slice): the ends
/// of every longest line are among them.
struct ExtentCollector {
    private struct Corner {
        var region: Int32
        var i, j, k: Int32
    }

    /// The first and last voxel of a region in a row.
    private struct Row {
        var j, low, high: Int32
        var next: Int32
    }

    private let frame: Frame
    private var corners: [Corner] = []
    private var rows: [Row] = []
    /// Each region's first and last entry in `rows`; -1 where the slice has none of it.
    private var first: [Int32]
    private var last: [Int32]
    private var best: [(square: Double, slice: Int32)]

    init(affine: Affine, regions: Int) {
        frame = Frame(affine)
        first = [Int32](repeating: -1, count: regions)
        last = first
        best = [(Double, Int32)](repeating: (-1, 0), count: regions)
    }

    /// Slice k; `ids` is the region of each run, -1 for none.
    mutating func add(_ k: Int, _ runs: LabelRuns, _ ids: [Int32]) {
        if runs.runs.isEmpty { return }
        rows.removeAll(keepingCapacity: true)
        var touched: [Int32] = []
        for j in 0..<runs.rows.count - 1 {
            for r in runs.rows[j]..<runs.rows[j + 1] where ids[r] >= 0 {
                let (region, run) = (Int(ids[r]), runs.runs[r])
                let entry = last[region]
                if entry >= 0, rows[Int(entry)].j == j {
                    rows[Int(entry)].high = run.end - 1
                    continue
                }
                last[region] = Int32(rows.count)
                if entry >= 0 {
                    rows[Int(entry)].next = Int32(rows.count)
                } else {
                    first[region] = Int32(rows.count)
                    touched.append(Int32(region))
                }
                rows.append(Row(j: Int32(j), low: run.start, high: run.end - 1, next: -1))
            }
        }
        for region in touched {
            let hull = hull(of: Int(region), k)
            for a in hull.indices {
                for b in a..<hull.count {
                    let square = frame.square(hull[a].i - hull[b].i, hull[a].j - hull[b].j)
                    if square > best[Int(region)].square { best[Int(region)] = (square, Int32(k)) }
                }
            }
            corners += hull
            first[Int(region)] = -1
            last[Int(region)] = -1
        }
    }

    /// The corners of a region's convex hull in the slice, in order around it.
    private func hull(of region: Int, _ k: Int) -> [Corner] {
        var (left, right): ([Corner], [Corner]) = ([], [])
        func push(_ chain: inout [Corner], _ i: Int32, _ j: Int32, turn: Int) {
            while chain.count > 1 {
                let (a, b) = (chain[chain.count - 2], chain[chain.count - 1])
                let cross = Int(b.i - a.i) * Int(j - a.j) - Int(b.j - a.j) * Int(i - a.i)
                if cross * turn > 0 { break }
                chain.removeLast()
            }
            chain.append(Corner(region: Int32(region), i: i, j: j, k: Int32(k)))
        }
        var entry = first[region]
        while entry >= 0 {
            let row = rows[Int(entry)]
            push(&left, row.low, row.j, turn: -1)
            push(&right, row.high, row.j, turn: 1)
            entry = row.next
        }
        // Where a chain begins or ends in one voxel both have it.
        if right.last!.i == left.last!.i { right.removeLast() }
        if let corner = right.first, corner.j == left[0].j, corner.i == left[0].i { right.removeFirst() }
        return left + right.reversed()
    }

    /// For each region the longest line in space (mm) and in a slice, the first of equals; `nil` without voxels.
    func result() -> [(longest: Double, inPlane: RegionMeasures.InPlane)?] {
        // Corners grouped by region, in the order of slices.
        var starts = [Int](repeating: 0, count: best.count + 1)
        for corner in corners { starts[Int(corner.region) + 1] += 1 }
        for region in best.indices { starts[region + 1] += starts[region] }
        var order = [Int](repeating: 0, count: corners.count)
        var next = starts
        for (index, corner) in corners.enumerated() {
            order[next[Int(corner.region)]] = index
            next[Int(corner.region)] += 1
        }
        return best.indices.map { region in
            guard best[region].square >= 0 else { return nil }
            let all = order[starts[region]..<starts[region + 1]].map { corners[$0] }
            let (square, slice) = best[region]
            let hull = all.filter { $0.k == slice }
            let inPlane = RegionMeasures.InPlane(
                slice: Int(slice), longestMillimetres: square.squareRoot(),
                perpendicularMillimetres: perpendicular(hull, square))
            return (longest(all, atLeast: square).squareRoot(), inPlane)
        }
    }

    /// The longest chord of a hull across its longest line; where several lines are longest, across any of them.
    private func perpendicular(_ hull: [Corner], _ square: Double) -> Double {
        let places = hull.map { frame.place($0.i, $0.j, $0.k) }
        var longest = 0.0
        for a in hull.indices {
            for b in a..<hull.count
            where square > 0 && frame.square(hull[a].i - hull[b].i, hull[a].j - hull[b].j) == square {
                let along = (places[b] - places[a]) / square.squareRoot()
                let turned = places.map { p -> (t: Double, s: Double) in
                    let d = p - places[a]
                    return (d.x * along.x + d.y * along.y, d.y * along.x - d.x * along.y)
                }
                // The chord's length is linear between corners, so that the longest one ends at a corner.
                for corner in turned {
                    var (low, high) = (corner.s, corner.s)
                    for n in turned.indices {
                        let (p, q) = (turned[n], turned[(n + 1) % turned.count])
                        guard min(p.t, q.t) <= corner.t, corner.t <= max(p.t, q.t), p.t != q.t else { continue }
                        let s = p.s + (q.s - p.s) * (corner.t - p.t) / (q.t - p.t)
                        (low, high) = (min(low, s), max(high, s))
                    }
                    longest = max(longest, high - low)
                }
            }
        }
        return longest
    }

    /// The greatest squared distance between corners: of two slices only if their circles allow more than is known.
    private func longest(_ corners: [Corner], atLeast known: Double) -> Double {
        struct Slice {
            var range: Range<Int>
            var centre: SIMD3<Double>
            var radius: Double
        }
        let (corners, far) = outer(corners)
        // Less a rounding error: the pair itself is measured below.
        var best = max(known, far * (1 - 1e-12))
        let places = corners.map { frame.place($0.i, $0.j, $0.k) }
        var slices: [Slice] = []
        var start = 0
        while start < corners.count {
            var end = start + 1
            while end < corners.count, corners[end].k == corners[start].k { end += 1 }
            var (low, high) = (places[start], places[start])
            for p in places[start..<end] { (low, high) = (pointwiseMin(low, p), pointwiseMax(high, p)) }
            let centre = (low + high) * 0.5
            let radius = places[start..<end].reduce(0) { max($0, Affine.length($1 - centre)) }
            slices.append(Slice(range: start..<end, centre: centre, radius: radius))
            start = end
        }
        for a in slices.indices {
            for b in a..<slices.count {
                let apart = slices[b].centre - slices[a].centre
                let across =
                    (apart.x * apart.x + apart.y * apart.y).squareRoot() + slices[a].radius + slices[b].radius
                if (across * across + apart.z * apart.z) * (1 + 1e-12) < best { continue }
                let dk = corners[slices[b].range.lowerBound].k - corners[slices[a].range.lowerBound].k
                for p in slices[a].range {
                    for q in slices[b].range {
                        let (one, two) = (corners[p], corners[q])
                        best = max(best, frame.square(two.i - one.i, two.j - one.j, dk))
                    }
                }
            }
        }
        return best
    }

    /// The corners that may end a longest line, in their order, and the squared length of a long one.
    private func outer(_ corners: [Corner]) -> ([Corner], Double) {
        let places = corners.map { frame.place($0.i, $0.j, $0.k) }
        // A few steps from the farthest to the farthest come close, so that most corners need no look.
        var (from, best) = (places[0], -1.0)
        var centre = from
        for _ in 0..<4 {
            let (place, distance) = farthest(places, from: from)
            if distance > best { (centre, best) = ((from + place) * 0.5, distance) }
            from = place
        }
        // A line from a corner is no longer than its distance from any place and the greatest one together.
        let radius = farthest(places, from: centre).square.squareRoot()
        let least = best.squareRoot() * (1 - 1e-12) - radius
        return (corners.indices.filter { Affine.length(places[$0] - centre) >= least }.map { corners[$0] }, best)
    }

    private func farthest(_ places: [SIMD3<Double>], from: SIMD3<Double>) -> (place: SIMD3<Double>, square: Double) {
        var far = (from, -1.0)
        for place in places {
            let apart = place - from
            let square = apart.x * apart.x + apart.y * apart.y + apart.z * apart.z
            if square > far.1 { far = (place, square) }
        }
        return far
    }
}

/// Voxel indices turned so that slices lie flat: the triangular matrix that keeps every distance of the affine, without
/// its origin and rotation.
private struct Frame {
    private let xx, xy, xz, yy, yz, zz: Double

    init(_ affine: Affine) {
        let (a, b, c) = (affine.column(0), affine.column(1), affine.column(2))
        xx = Affine.length(a)
        let x = a / xx
        xy = (x * b).sum()
        xz = (x * c).sum()
        let rest = b - x * xy
        yy = Affine.length(rest)
        let y = rest / yy
        yz = (y * c).sum()
        zz = Affine.length(c - x * xz - y * yz)
    }

    func place(_ i: Int32, _ j: Int32, _ k: Int32) -> SIMD3<Double> {
        let (i, j, k) = (Double(i), Double(j), Double(k))
        return SIMD3(xx * i + xy * j + xz * k, yy * j + yz * k, zz * k)
    }

    /// Within a slice.
    func square(_ i: Int32, _ j: Int32) -> Double {
        let (i, j) = (Double(i), Double(j))
        let (x, y) = (xx * i + xy * j, yy * j)
        return x * x + y * y
    }

    func square(_ i: Int32, _ j: Int32, _ k: Int32) -> Double {
        let p = place(i, j, k)
        return p.x * p.x + p.y * p.y + p.z * p.z
    }
}
