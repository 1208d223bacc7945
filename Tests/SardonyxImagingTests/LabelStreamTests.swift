import Testing

@testable import SardonyxImaging

/// Expected values: `scipy.ndimage.label` per label with `generate_binary_structure(3, 1)` and with 3×3×3 ones (equal
/// to `skimage.measure.label`, connectivity 1 and 3), `scipy.ndimage.binary_dilation` and `binary_fill_holes`.
struct LabelStreamTests {
    static func parts(of volume: Volume<UInt16>, _ connectivity: Connectivity, relabelled: inout [Int]) throws
        -> [StreamingComponents.Part]
    {
        var found = StreamingComponents(dims: volume.dims, connectivity: connectivity)
        let plane = volume.dims.x * volume.dims.y
        try volume.voxels.withUnsafeBufferPointer { voxels in
            for k in 0..<volume.dims.z { try found.add(.init(rebasing: voxels[k * plane..<(k + 1) * plane])) }
            found.finish()
            // Twice, for it may be repeated.
            for _ in 0..<2 {
                relabelled = [Int](repeating: -1, count: voxels.count)
                for k in 0..<volume.dims.z {
                    try found.relabel(.init(rebasing: voxels[k * plane..<(k + 1) * plane])) { j, run, part in
                        for i in run { relabelled[k * plane + j * volume.dims.x + i] = part }
                    }
                }
            }
        }
        return found.parts
    }

    struct Figures: Sendable {
        var name: String
        var volume: Volume<UInt16>
        var connectivity: Connectivity
        var count: Int
        var moment: Int
        /// Checksum and number of changed voxels.
        var largest: (Int, Int)
        var minimum: (Int, Int)
    }

    static let noise = LabelSamples.noise(SIMD3(23, 17, 11), [15, 35, 60], seed: 3)
    static let blobs = LabelSamples.blobs(SIMD3(37, 29, 23), 7, seed: 9)

    static let figures = [
        Figures(
            name: "noise", volume: noise, connectivity: .faces, count: 1196, moment: 2_037_104_585,
            largest: (315851, 2436), minimum: (6_672_154, 1070)),
        Figures(
            name: "noise", volume: noise, connectivity: .full, count: 67, moment: 5_649_187,
            largest: (10_977_491, 181), minimum: (11_211_411, 70)),
        Figures(
            name: "blobs", volume: blobs, connectivity: .faces, count: 7, moment: 280414,
            largest: (89_841_253, 2205), minimum: (145_653_438, 0)),
        Figures(
            name: "blobs", volume: blobs, connectivity: .full, count: 6, moment: 182344,
            largest: (114_171_095, 1338), minimum: (145_653_438, 0)),
    ]

    @Test(arguments: 0..<4) func asSciPy(_ row: Int) throws {
        let figures = LabelStreamTests.figures[row]
        var relabelled: [Int] = []
        let parts = try LabelStreamTests.parts(of: figures.volume, figures.connectivity, relabelled: &relabelled)
        #expect(parts.count == figures.count)
        let moment = parts.enumerated().reduce(0) {
            $0 + ($1.offset + 1) * ($1.element.first % 65521) + Int($1.element.label) * $1.element.size
        }
        #expect(moment == figures.moment)
        let steps: [(LabelCleaning, (Int, Int))] = [
            (.largestComponent(connectivity: figures.connectivity), figures.largest),
            // Parts of labels 1 and 3 below 5 voxels of 2 mm³.
            (
                .minimumVolume(cubicMillimetres: 10, labels: [1, 3], connectivity: figures.connectivity),
                figures.minimum
            ),
        ]
        for (step, expected) in steps {
            let store = MemorySliceStore(figures.volume)
            let changed = try LabelCleaning.apply([step], to: store, voxelVolume: 2)
            #expect(changed == [expected.1])
            #expect(LabelSamples.check(store.volume) == expected.0)
        }
    }

    @Test func holesAsSciPy() throws {
        let dense = LabelSamples.noise(SIMD3(23, 17, 11), [78, 95], seed: 4)
        #expect(LabelSamples.check(dense) == 10_392_480)
        let rows: [([LabelCleaning], Int, [Int])] = [
            ([.fillHoles()], 10_459_280, [34]), ([.fillHoles(labels: [2])], 10_392_480, [0]),
            ([.fillHoles(labels: [1]), .fillHoles()], 10_459_280, [34, 0]),
        ]
        for (steps, check, changed) in rows {
            let store = MemorySliceStore(dense)
            #expect(try LabelCleaning.apply(steps, to: store, voxelVolume: 1) == changed)
            #expect(LabelSamples.check(store.volume) == check)
        }
        let mask = MemorySliceStore(Volume(grid: dense.grid, voxels: dense.voxels.map { $0 == 0 ? 0 : 1 }))
        #expect(try LabelCleaning.apply([.fillHoles()], to: mask, voxelVolume: 1) == [4219 - 4079])
        #expect(LabelSamples.check(mask.volume) == 9_052_275)
        let noise = MemorySliceStore(LabelStreamTests.noise)
        #expect(try LabelCleaning.apply([.fillHoles()], to: noise, voxelVolume: 1) == [1])
        #expect(LabelSamples.check(noise.volume) == 11_404_997)
    }

    /// A picture is filled in two dimensions.
    @Test func holesOfAPicture() throws {
        let grid = VoxelGrid(dims: SIMD3(4, 3, 1), affine: .identity)
        let ring = MemorySliceStore(mask: Mask(grid: grid, voxels: [1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0]))
        #expect(try LabelCleaning.apply([.fillHoles()], to: ring, voxelVolume: 1) == [1])
        #expect(ring.volume.voxels == [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0])
    }

    /// A hole of two arms that join below; only the second touches label 2.
    @Test func holesOfTwoLabels() throws {
        let grid = VoxelGrid(dims: SIMD3(5, 4, 1), affine: .identity)
        let closed: [UInt16] = [1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
        for (third, changed) in [(UInt16(1), 5), (2, 0)] {
            var volume = Volume(grid: grid, voxels: closed)
            volume[3, 0, 0] = third
            let store = MemorySliceStore(volume)
            #expect(try LabelCleaning.apply([.fillHoles()], to: store, voxelVolume: 1) == [changed])
        }
    }

    /// Against flooding.
    @Test func smallVolumes() throws {
        for turn in 0..<400 {
            let volume = LabelSamples.small(turn)
            for connectivity in Connectivity.allCases {
                let flooded = Flooded(volume, connectivity) { $0 != 0 }
                var relabelled: [Int] = []
                let parts = try LabelStreamTests.parts(of: volume, connectivity, relabelled: &relabelled)
                #expect(relabelled == flooded.part)
                try #require(parts.count == flooded.parts.count)
                let areEqual = zip(parts, flooded.parts).allSatisfy { part, expected in
                    let places = expected.voxels.map {
                        SIMD3<Int32>(truncatingIfNeeded: Flooded.place($0, volume.dims))
                    }
                    return part.label == expected.label && part.size == expected.voxels.count
                        && part.first == expected.voxels.min()
                        && part.lower == places.reduce(places[0]) { pointwiseMin($0, $1) }
                        && part.upper == places.reduce(places[0]) { pointwiseMax($0, $1) }
                }
                #expect(areEqual)
                let store = MemorySliceStore(volume)
                try LabelCleaning.apply([.largestComponent(connectivity: connectivity)], to: store, voxelVolume: 1)
                #expect(store.volume == LabelStreamTests.largest(volume, flooded))
            }
            let store = MemorySliceStore(volume)
            try LabelCleaning.apply([.fillHoles()], to: store, voxelVolume: 1)
            #expect(store.volume == LabelStreamTests.filled(volume))
        }
    }

    static func largest(_ volume: Volume<UInt16>, _ flooded: Flooded) -> Volume<UInt16> {
        var result = Volume<UInt16>(grid: volume.grid)
        for label in Set(flooded.parts.map { $0.label }) {
            let parts = flooded.parts.filter { $0.label == label }
            let most = parts.map { $0.voxels.count }.max()!
            for v in parts.first(where: { $0.voxels.count == most })!.voxels { result.voxels[v] = label }
        }
        return result
    }

    static func filled(_ volume: Volume<UInt16>) -> Volume<UInt16> {
        var result = volume
        for (_, voxels) in Flooded(volume, .faces, of: { $0 == 0 }).parts {
            let isOpen = voxels.contains { v in
                let at = Flooded.place(v, volume.dims)
                return (0..<3).contains { volume.dims[$0] > 1 && (at[$0] == 0 || at[$0] == volume.dims[$0] - 1) }
            }
            var around: Set<UInt16> = []
            for v in voxels {
                for n in Flooded.neighbours(v, volume.dims, .faces) { around.insert(volume.voxels[n]) }
            }
            around.remove(0)
            if !isOpen, around.count == 1 { for v in voxels { result.voxels[v] = around.first! } }
        }
        return result
    }

    /// The worst case fits its limit or is refused.
    @Test func scattered() throws {
        let board = LabelSamples.board(SIMD3(64, 64, 8))
        var relabelled: [Int] = []
        #expect(try LabelStreamTests.parts(of: board, .faces, relabelled: &relabelled).count == board.grid.count / 2)
        #expect(try LabelStreamTests.parts(of: board, .full, relabelled: &relabelled).count == 1)
        let store = MemorySliceStore(board)
        let error = withError {
            try LabelCleaning.apply([.largestComponent()], to: store, voxelVolume: 1, tableLimit: 500_000)
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.problem.contains("(6944 by slice 3)") ?? false)
        #expect(store.volume == board)
        // Full neighbourhoods join at once, so that places are used again.
        let changed = try LabelCleaning.apply(
            [.largestComponent(connectivity: .full)], to: store, voxelVolume: 1, tableLimit: 30_000)
        #expect(changed == [0])
        var many = LabelMeasures()
        many.measuresComponents = true
        #expect(withError { _ = try many.measure(LabelSamples.board(SIMD3(512, 300, 1))) }?.code == .tooLarge)
    }
}
