@testable import SardonyxImaging

/// Label volumes and images that the Python which made the expected values draws in the same way.
enum LabelSamples {
    /// Label n where a number in 0..<100 is below the n-th percentage and not below the one before.
    static func noise(_ dims: SIMD3<Int>, _ percents: [UInt32], seed: UInt64) -> Volume<UInt16> {
        var random = Congruence(state: seed)
        let grid = VoxelGrid(dims: dims, affine: .identity)
        return Volume(
            grid: grid,
            voxels: (0..<grid.count).map { _ in
                let value = random.next32() % 100
                return UInt16((percents.firstIndex { value < $0 } ?? -1) + 1)
            })
    }

    /// Ellipsoids of labels 1 to 4, later ones over earlier ones.
    static func blobs(_ dims: SIMD3<Int>, _ count: Int, seed: UInt64) -> Volume<UInt16> {
        var random = Congruence(state: seed)
        var volume = Volume<UInt16>(grid: VoxelGrid(dims: dims, affine: .identity))
        for n in 0..<count {
            let c = (0..<3).map { Double(Int(random.next32()) % dims[$0]) }
            let r = (0..<3).map { Double(3 + Int(random.next32()) % (dims[$0] / 3)) }
            for k in 0..<dims.z {
                for j in 0..<dims.y {
                    for i in 0..<dims.x {
                        let (x, y, z) = (
                            (Double(i) - c[0]) / r[0], (Double(j) - c[1]) / r[1], (Double(k) - c[2]) / r[2]
                        )
                        if x * x + y * y + z * z <= 1 { volume[i, j, k] = UInt16(n % 4 + 1) }
                    }
                }
            }
        }
        return volume
    }

    /// Values in -1024..<2883 in steps of 1/1024.
    static func image(_ dims: SIMD3<Int>, seed: UInt64) -> Volume<Float> {
        var random = Congruence(state: seed)
        let grid = VoxelGrid(dims: dims, affine: .identity)
        return Volume(
            grid: grid, voxels: (0..<grid.count).map { _ in Float(random.next32() % 4_000_000) / 1024 - 1024 })
    }

    /// Σ label · (index mod 65521).
    static func check(_ volume: Volume<UInt16>) -> Int {
        volume.voxels.enumerated().reduce(0) { $0 + $1.offset % 65521 * Int($1.element) }
    }

    /// Voxels of label 1 that touch by edges only.
    static func board(_ dims: SIMD3<Int>) -> Volume<UInt16> {
        let grid = VoxelGrid(dims: dims, affine: .identity)
        return Volume(
            grid: grid, voxels: (0..<grid.count).map { UInt16(Flooded.place($0, dims).wrappedSum() % 2) })
    }

    /// Volumes of all small shapes and densities, and the odd ones, in turn.
    static func small(_ turn: Int) -> Volume<UInt16> {
        var random = Congruence(state: UInt64(turn) &* 77 &+ 5)
        func size() -> Int { 1 + Int(random.next32() % 7) }
        let grid = VoxelGrid(
            dims: SIMD3(size(), size(), size()), affine: Affine(spacing: SIMD3(0.7, 1.3, Double(size()))))
        let labels = 1 + random.next32() % 4
        let density = random.next32() % 101
        var voxels = (0..<grid.count).map { _ in
            random.next32() % 100 < density ? UInt16(1 + random.next32() % labels) : 0
        }
        switch turn % 40 {
        case 0: voxels = voxels.map { _ in 0 }
        case 1: voxels = voxels.map { _ in 3 }
        case 2: voxels = voxels.indices.map { $0 == voxels.count / 2 ? 2 : 0 }
        case 3: voxels = board(grid.dims).voxels
        default: break
        }
        return Volume(grid: grid, voxels: voxels)
    }
}

/// Connected parts by flooding: slow, plain, whole volume.
struct Flooded {
    var part: [Int]
    var parts: [(label: UInt16, voxels: [Int])] = []

    init(_ volume: Volume<UInt16>, _ connectivity: Connectivity, of chosen: (UInt16) -> Bool) {
        let dims = volume.dims
        part = [Int](repeating: -1, count: volume.grid.count)
        for start in volume.voxels.indices where chosen(volume.voxels[start]) && part[start] < 0 {
            var voxels = [start]
            part[start] = parts.count
            var next = 0
            while next < voxels.count {
                for v in Flooded.neighbours(voxels[next], dims, connectivity)
                where volume.voxels[v] == volume.voxels[start] && part[v] < 0 {
                    part[v] = parts.count
                    voxels.append(v)
                }
                next += 1
            }
            parts.append((volume.voxels[start], voxels))
        }
    }

    static func neighbours(_ v: Int, _ dims: SIMD3<Int>, _ connectivity: Connectivity) -> [Int] {
        let at = place(v, dims)
        return (0..<27).compactMap { n in
            let d = SIMD3(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1)
            let moved = (d &* d).wrappedSum()
            let p = at &+ d
            guard moved > 0, connectivity == .full || moved == 1 else { return nil }
            guard all((p .>= 0) .& (p .< dims)) else { return nil }
            return p.x + dims.x * (p.y + dims.y * p.z)
        }
    }

    static func place(_ v: Int, _ dims: SIMD3<Int>) -> SIMD3<Int> {
        SIMD3(v % dims.x, v / dims.x % dims.y, v / dims.x / dims.y)
    }
}
