import Testing

@testable import SardonyxImaging

/// Expected values: SciPy's `label`, `binary_fill_holes` on the same congruence's masks.
struct MeasureTests {
    static func mask(percent: UInt32) -> Mask {
        var random = Congruence()
        let grid = VoxelGrid(dims: SIMD3(12, 11, 10), affine: Affine(spacing: SIMD3(0.5, 2, 3)))
        return Mask(grid: grid, voxels: (0..<grid.count).map { _ in random.next32() % 100 < percent ? 1 : 0 })
    }

    @Test func components() throws {
        let volume = MemorySliceStore(mask: MeasureTests.mask(percent: 34)).volume
        var relabelled: [Int] = []
        let parts = try LabelStreamTests.parts(of: volume, .faces, relabelled: &relabelled)
        #expect(parts.count == 80)
        #expect(parts.prefix(12).map(\.size) == [3, 2, 20, 1, 1, 3, 5, 2, 6, 15, 22, 234])
        #expect(parts.reduce(0) { $0 + $1.size } == 452)
        #expect(relabelled.enumerated().reduce(0) { $0 + $1.offset * ($1.element + 1) } == 8_028_258)
    }

    @Test func holes() throws {
        let store = MemorySliceStore(mask: MeasureTests.mask(percent: 70))
        let before = store.volume.voxels
        #expect(before.count { $0 != 0 } == 918)
        #expect(try LabelCleaning.apply([.fillHoles()], to: store, voxelVolume: 1) == [965 - 918])
        #expect(before.indices.filter { before[$0] != store.volume.voxels[$0] }.reduce(0, +) == 27742)
    }

    @Test func emptyAndFull() throws {
        let grid = VoxelGrid(dims: SIMD3(3, 3, 3), affine: .identity)
        let (empty, full) = (Mask(grid: grid), Mask(grid: grid, repeating: 1))
        for mask in [empty, full] {
            let store = MemorySliceStore(mask: mask)
            #expect(try LabelCleaning.apply([.largestComponent(), .fillHoles()], to: store, voxelVolume: 1) == [0, 0])
        }
        #expect(try empty.dice(empty) == 1)
        #expect(try empty.dice(full) == 0)
    }

    /// Of equal parts the first in memory stays; corners do not connect.
    @Test func ties() throws {
        let grid = VoxelGrid(dims: SIMD3(3, 3, 1), affine: .identity)
        let corners = MemorySliceStore(mask: Mask(grid: grid, voxels: [0, 0, 1, 0, 1, 0, 1, 0, 0]))
        #expect(try LabelCleaning.apply([.largestComponent()], to: corners, voxelVolume: 1) == [2])
        #expect(corners.volume.voxels == [0, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test func overlap() throws {
        let a = MeasureTests.mask(percent: 34)
        var b = a
        for v in 0..<660 { b.voxels[v] = 0 }
        let kept = a.voxels[660...].reduce(0) { $0 + Int($1) }
        #expect(abs(try a.dice(b) - 2 * Double(kept) / Double(452 + kept)) < 1e-12)
        // Any value but 0 is inside.
        let c = Mask(grid: a.grid, voxels: a.voxels.map { $0 * 7 })
        #expect(try a.dice(c) == 1)
        let elsewhere = Mask(grid: VoxelGrid(dims: a.dims, affine: .identity), voxels: a.voxels)
        #expect(withError { _ = try a.dice(elsewhere) }?.code == .mismatch)
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
