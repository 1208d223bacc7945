import Testing

@testable import SardonyxImaging

/// Expected values: SciPy's `label`, `binary_fill_holes` on the same congruence's masks.
struct MeasureTests {
    static func mask(percent: UInt32) -> Mask {
        var random = Congruence()
        let grid = VoxelGrid(dims: SIMD3(12, 11, 10), affine: Affine(spacing: SIMD3(0.5, 2, 3)))
        return Mask(grid: grid, voxels: (0..<grid.count).map { _ in random.next32() % 100 < percent ? 1 : 0 })
    }

    @Test func components() {
        let parts = Components(of: MeasureTests.mask(percent: 34))
        #expect(parts.count == 80)
        #expect(Array(parts.sizes.prefix(12)) == [3, 2, 20, 1, 1, 3, 5, 2, 6, 15, 22, 234])
        #expect(parts.sizes.reduce(0, +) == 452)
        let moment = parts.labels.voxels.enumerated().reduce(0) { $0 + $1.offset * Int($1.element) }
        #expect(moment == 8_028_258)
        #expect(parts.largest().insideCount == 234)
    }

    @Test func holes() {
        let mask = MeasureTests.mask(percent: 70)
        let filled = mask.fillingHoles()
        #expect(mask.insideCount == 918)
        #expect(filled.insideCount == 965)
        let added = zip(mask.voxels, filled.voxels).enumerated().filter { $1.0 == 0 && $1.1 == 1 }
        #expect(added.reduce(0) { $0 + $1.offset } == 27742)
    }

    @Test func emptyAndFull() throws {
        let grid = VoxelGrid(dims: SIMD3(3, 3, 3), affine: .identity)
        let empty = Mask(grid: grid)
        let full = Mask(grid: grid, repeating: 1)
        #expect(Components(of: empty).count == 0)
        #expect(empty.largestComponent() == empty)
        #expect(full.largestComponent() == full)
        #expect(empty.fillingHoles() == empty)
        #expect(empty.centroid == nil)
        #expect(try empty.dice(empty) == 1)
        #expect(try empty.dice(full) == 0)
    }

    /// Of equal parts the first in memory stays; corners do not connect.
    @Test func ties() {
        let grid = VoxelGrid(dims: SIMD3(3, 3, 1), affine: .identity)
        let corners = Mask(grid: grid, voxels: [0, 0, 1, 0, 1, 0, 1, 0, 0])
        #expect(Components(of: corners).count == 3)
        #expect(corners.largestComponent().voxels == [0, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test func measures() throws {
        let a = MeasureTests.mask(percent: 34)
        #expect(abs(a.millilitres - 452 * 3.0 / 1000) < 1e-12)
        var b = a
        for v in 0..<660 { b.voxels[v] = 0 }
        let kept = a.voxels[660...].reduce(0) { $0 + Int($1) }
        #expect(abs(try a.dice(b) - 2 * Double(kept) / Double(452 + kept)) < 1e-12)
        // Any value but 0 is inside.
        var c = a
        for v in c.voxels.indices where c.voxels[v] != 0 { c.voxels[v] = 7 }
        #expect(try a.dice(c) == 1)
        let elsewhere = Mask(grid: VoxelGrid(dims: a.dims, affine: .identity), voxels: a.voxels)
        #expect(withError { _ = try a.dice(elsewhere) }?.code == .mismatch)
        var dot = Mask(grid: a.grid)
        dot[3, 4, 5] = 1
        dot[5, 4, 6] = 1
        #expect(dot.centroid == SIMD3(4, 4, 5.5))
    }

    @Test func numbersForPeople() {
        let rows: [(String, String)] = [
            (Format.fixed(3.14159, 2), "3.14"), (Format.fixed(-0.04, 1), "0.0"), (Format.fixed(0.05, 1), "0.1"),
            (Format.fixed(-12.34, 1), "-12.3"), (Format.fixed(1873.861, 0), "1874"), (Format.short(1), "1"),
            (Format.short(0.9375), "0.938"), (Format.short(120), "120"), (Format.bytes(540), "540 bytes"),
            (Format.bytes(14_216_274), "14.2 MB"), (Format.bytes(999_960), "1.0 MB"),
            (Format.fixed(.nan, 1), "not a number"),
        ]
        for (text, expected) in rows { #expect(text == expected) }
    }
}
