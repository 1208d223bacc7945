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

/// Areas of the surfaces of many regions at once, from slices in order; outside the volume there is nothing, so that
/// surfaces are closed. Memory: two slices of 4 bytes a voxel.
struct SurfaceScanner {
    /// For each region, in mm²; whole after `finish`.
    private(set) var areas: [Double]
    private let table: [Double]
    private let width: Int
    private let height: Int
    /// Voxels from one row of `current` to the next: one empty voxel before, and enough after for a vector.
    private let stride: Int
    private var current: [Int32]
    private var earlier: [Int32]

    init(dims: SIMD3<Int>, affine: Affine, regions: Int) {
        areas = [Double](repeating: 0, count: regions)
        table = MarchingCubes.areas(steps: (affine.column(0), affine.column(1), affine.column(2)))
        (width, height) = (dims.x, dims.y)
        stride = width + 9
        current = [Int32](repeating: 0, count: stride * (height + 2))
        earlier = current
    }

    /// The next slice; `ids` is the region of each run, -1 for none.
    mutating func add(_ runs: LabelRuns, _ ids: [Int32]) {
        swap(&current, &earlier)
        current.withUnsafeMutableBufferPointer { slice in
            slice.update(repeating: 0)
            for j in 0..<height {
                let row = (j + 1) * stride + 1
                for r in runs.rows[j]..<runs.rows[j + 1] {
                    let run = runs.runs[r]
                    slice[row + Int(run.start)..<row + Int(run.end)].update(repeating: ids[r] + 1)
                }
            }
        }
        cells()
    }

    mutating func finish() {
        swap(&current, &earlier)
        for v in current.indices { current[v] = 0 }
        cells()
    }

    /// The cells between the two slices.
    private mutating func cells() {
        let (table, width, height, stride) = (table, width, height, stride)
        func load(_ p: UnsafePointer<Int32>) -> SIMD8<Int32> {
            UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Int32>.self)
        }
        earlier.withUnsafeBufferPointer { earlier in
            current.withUnsafeBufferPointer { current in
                areas.withUnsafeMutableBufferPointer { areas in
                    for j in 0...height {
                        // SAFETY: eight voxels from i <= width on stay inside the row's stride.
                        let a = earlier.baseAddress! + j * stride
                        let c = current.baseAddress! + j * stride
                        let (b, d) = (a + stride, c + stride)
                        var i = 0
                        while i <= width {
                            let first = SIMD8(repeating: a[i])
                            let upper = (load(a + i) ^ first) | (load(b + i) ^ first)
                            let lower = (load(c + i) ^ first) | (load(d + i) ^ first)
                            if upper | lower != .zero {
                                for n in i..<min(i + 7, width + 1) {
                                    let cell = SIMD8(a[n], a[n + 1], b[n], b[n + 1], c[n], c[n + 1], d[n], d[n + 1])
                                    SurfaceScanner.add(cell, table, areas)
                                }
                            }
                            i += 7
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func add(
        _ voxels: SIMD8<Int32>, _ table: [Double], _ areas: UnsafeMutableBufferPointer<Double>
    ) {
        var rest = voxels
        while true {
            let id = rest.max()
            if id == 0 { return }
            let bits = SIMD8<Int32>(1, 2, 4, 8, 16, 32, 64, 128).replacing(with: 0, where: voxels .!= id).wrappedSum()
            if bits == 255 { return }
            areas[Int(id) - 1] += table[Int(bits)]
            rest.replace(with: 0, where: voxels .== id)
        }
    }
}
