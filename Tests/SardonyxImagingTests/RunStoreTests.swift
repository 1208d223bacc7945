import Synchronization
import Testing

@testable import SardonyxImaging

/// Against labels in memory and their plain slices.
struct RunStoreTests {
    struct Sample: Sendable {
        var name: String
        var volume: Volume<UInt16>

        /// 24 bytes a slice, 64 + 4 · (rows + 1) more where it has runs, and 8 a run of at most 65535 voxels.
        var byteCount: Int {
            var bytes = 24 * volume.dims.z
            for k in 0..<volume.dims.z {
                var lengths: [Int] = []
                for j in 0..<volume.dims.y {
                    for i in 0..<volume.dims.x where volume[i, j, k] != 0 {
                        if i > 0, volume[i - 1, j, k] == volume[i, j, k] {
                            lengths[lengths.count - 1] += 1
                        } else {
                            lengths.append(1)
                        }
                    }
                }
                let runs = lengths.reduce(0) { $0 + ($1 + 65534) / 65535 }
                bytes += runs > 0 ? 64 + 4 * (volume.dims.y + 1) + 8 * runs : 0
            }
            return bytes
        }
    }

    static func volume(_ dims: SIMD3<Int>, _ label: (SIMD3<Int>) -> Int) -> Volume<UInt16> {
        let grid = VoxelGrid(dims: dims, affine: .identity)
        return Volume(grid: grid, voxels: (0..<grid.count).map { UInt16(label(Flooded.place($0, dims))) })
    }

    static let samples = [
        Sample(name: "organs", volume: LabelStreamTests.blobs),
        Sample(name: "noise", volume: LabelStreamTests.noise),
        Sample(name: "nothing", volume: volume(SIMD3(5, 4, 3)) { _ in 0 }),
        Sample(name: "one label", volume: volume(SIMD3(5, 4, 3)) { _ in 65535 }),
        Sample(name: "one voxel", volume: volume(SIMD3(1, 1, 1)) { _ in 7 }),
        // Runs of more than 65535 voxels are cut, and one again when they come back.
        Sample(name: "long", volume: volume(SIMD3(200_000, 2, 2)) { $0.x < 65_536 * (1 + $0.y) ? 1 : 1 + $0.z }),
        Sample(
            name: "one slice", volume: volume(SIMD3(64, 64, 40)) { $0.z == 17 ? 1 + $0.x % 2 : 0 }),
    ]

    static func slice(_ k: Int, of volume: Volume<UInt16>) -> ArraySlice<UInt16> {
        let plane = volume.dims.x * volume.dims.y
        return volume.voxels[k * plane..<(k + 1) * plane]
    }

    /// What a store gives in every way of reading.
    static func check(_ store: RunStore, _ expected: Volume<UInt16>, seed: UInt64) throws {
        let plain = MemorySliceStore(expected)
        let dims = expected.dims
        var random = Congruence(state: seed)
        var slice = [UInt16](repeating: 9, count: dims.x * dims.y)
        var bytes = [UInt8](repeating: 9, count: dims.x * dims.y)
        for _ in 0..<dims.z {
            let k = Int(random.next32()) % dims.z
            try slice.withUnsafeMutableBufferPointer { try store.read(slice: k, into: $0) }
            #expect(slice[...] == RunStoreTests.slice(k, of: expected))
            let runs = try store.withRuns(slice: k) { $0 }
            let same = try plain.withRuns(slice: k) { $0 }
            #expect(runs.runs == same.runs && runs.rows == same.rows)
            if slice.allSatisfy({ $0 < 256 }) {
                try bytes.withUnsafeMutableBufferPointer { try store.readBytes(slice: k, into: $0) }
                #expect(bytes.elementsEqual(slice) { UInt16($0) == $1 })
            } else {
                let error = bytes.withUnsafeMutableBufferPointer { bytes in
                    withError { try store.readBytes(slice: k, into: bytes) }
                }
                #expect(error?.code == .mismatch)
            }
        }
        for _ in 0..<8 {
            var (lower, upper) = (SIMD3<Int>.zero, SIMD3<Int>.zero)
            for axis in 0..<3 {
                lower[axis] = Int(random.next32()) % dims[axis]
                upper[axis] = lower[axis] + Int(random.next32()) % (dims[axis] - lower[axis] + 1)
            }
            let box = VoxelBox(lower: lower, upper: upper)
            var found = [UInt16](repeating: 9, count: box.count + 1)
            var others = [UInt16](repeating: 9, count: box.count)
            try found.withUnsafeMutableBufferPointer { try store.read(box, into: $0.baseAddress!) }
            if !box.isEmpty {
                try others.withUnsafeMutableBufferPointer { try plain.read(box, into: $0.baseAddress!) }
                #expect(others == expected.cropped(to: box).voxels)
            }
            #expect(found == others + [9])
        }
    }

    /// Written in an order of its own, half of them with one label in all others' place before, a third as runs.
    static func write(_ volume: Volume<UInt16>, to store: RunStore, seed: UInt64) throws {
        var random = Congruence(state: seed)
        var order = Array(0..<volume.dims.z)
        for n in order.indices { order.swapAt(n, Int(random.next32()) % order.count) }
        for k in order where k % 2 == 0 {
            let other = RunStoreTests.slice(k, of: volume).map { $0 == 0 ? UInt16(0) : 3 }
            try other.withUnsafeBufferPointer { try store.write(slice: k, from: $0) }
        }
        for k in order {
            if k % 3 == 0 {
                try store.write(slice: k, from: MemorySliceStore(volume).withRuns(slice: k) { $0 })
            } else if k % 2 == 0 || RunStoreTests.slice(k, of: volume).contains(where: { $0 != 0 }) {
                try Array(RunStoreTests.slice(k, of: volume)).withUnsafeBufferPointer {
                    try store.write(slice: k, from: $0)
                }
            }
        }
    }

    @Test(arguments: 0..<7) func written(_ row: Int) throws {
        let sample = RunStoreTests.samples[row]
        let bytes = sample.byteCount
        for (limit, holds) in [
            (RunStore.defaultByteLimit, true), (bytes, true), (bytes - 1, false), (bytes / 2, false), (0, false),
        ] {
            var spilled = 0
            let store = try RunStore(dims: sample.volume.dims, byteLimit: limit) {
                spilled += 1
                return MemorySliceStore(Volume<UInt16>(grid: sample.volume.grid))
            }
            try RunStoreTests.check(store, Volume(grid: sample.volume.grid), seed: 1)
            try RunStoreTests.write(sample.volume, to: store, seed: UInt64(row + limit))
            #expect(store.isHeld == holds && spilled == (holds ? 0 : 1), "\(sample.name) in \(limit)")
            #expect(store.heldByteCount == (holds ? bytes : 0))
            try RunStoreTests.check(store, sample.volume, seed: 2)
        }
    }

    @Test(arguments: 0..<7) func holding(_ row: Int) throws {
        let sample = RunStoreTests.samples[row]
        let bytes = sample.byteCount
        for (limit, holds) in [(RunStore.defaultByteLimit, true), (bytes - 1, false), (0, false)] {
            let plain = MemorySliceStore(sample.volume)
            let store = try RunStore(holding: plain, byteLimit: limit)
            for k in (0..<sample.volume.dims.z).reversed() { try store.withRuns(slice: k) { _ in } }
            // Reading holds what there is room for.
            #expect(store.isHeld == (24 * sample.volume.dims.z <= limit))
            #expect(holds ? store.heldByteCount == bytes : store.heldByteCount <= limit)
            try RunStoreTests.check(store, sample.volume, seed: 3)
            // What is written stays here until the end.
            var changed = sample.volume
            for v in changed.voxels.indices where v % 7 == 0 { changed.voxels[v] = 2 }
            try RunStoreTests.write(changed, to: store, seed: 4)
            try RunStoreTests.check(store, changed, seed: 5)
            #expect((plain.volume == sample.volume) == holds || sample.volume == changed)
            try store.flush()
            #expect(plain.volume == changed)
            try RunStoreTests.check(store, changed, seed: 6)
        }
    }

    @Test func smallVolumes() throws {
        for turn in 0..<160 {
            let volume = LabelSamples.small(turn)
            let bytes = 24 * volume.dims.z
            let store = try RunStore(dims: volume.dims, byteLimit: bytes + 100 * (turn % 5)) {
                MemorySliceStore(Volume<UInt16>(grid: volume.grid))
            }
            try RunStoreTests.write(volume, to: store, seed: UInt64(turn))
            try RunStoreTests.check(store, volume, seed: UInt64(turn))
            let plain = MemorySliceStore(volume)
            let steps: [LabelCleaning] = [.fillHoles(), .minimumVolume(cubicMillimetres: 3), .largestComponent()]
            let changed = try LabelCleaning.apply(steps, to: plain, voxelVolume: 1)
            #expect(try LabelCleaning.apply(steps, to: store, voxelVolume: 1) == changed)
            try RunStoreTests.check(store, plain.volume, seed: UInt64(turn))
            var options = LabelMeasures()
            options.measuresComponents = true
            #expect(try options.measure(store, grid: volume.grid) == options.measure(plain.volume))
        }
    }

    @Test(arguments: [RunStore.defaultByteLimit, 4_000, 0]) func severalThreads(_ limit: Int) async throws {
        let volume = LabelStreamTests.blobs
        // SAFETY: it is only read.
        let watched = Watched(volume)
        nonisolated(unsafe) let store = try RunStore(holding: watched, byteLimit: limit)
        for k in 0..<min(3, volume.dims.z) {
            try Array(RunStoreTests.slice(k, of: volume)).withUnsafeBufferPointer {
                try store.write(slice: k, from: $0)
            }
        }
        let written = watched.writes.load(ordering: .relaxed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    for turn in 0..<4 { try RunStoreTests.check(store, volume, seed: UInt64(8 * turn + seed)) }
                }
            }
            try await group.waitForAll()
        }
        #expect(watched.writes.load(ordering: .relaxed) == written)
        #expect(store.isHeld == (limit > 0))
    }

    /// Counts what is written to it.
    final class Watched: SliceStore {
        let writes = Atomic(0)
        private let store: MemorySliceStore

        init(_ volume: Volume<UInt16>) { store = MemorySliceStore(volume) }

        var dims: SIMD3<Int> { store.dims }

        func read(slice k: Int, into buffer: UnsafeMutableBufferPointer<UInt16>) { store.read(slice: k, into: buffer) }

        func write(slice k: Int, from buffer: UnsafeBufferPointer<UInt16>) {
            writes.add(1, ordering: .relaxed)
            store.write(slice: k, from: buffer)
        }
    }

    /// A disk without room.
    @Test func failures() throws {
        let full = ImagingError(.cannotWrite, problem: "it is full", remedy: "make room")
        let volume = LabelStreamTests.noise
        let limit = 4_000
        let store = try RunStore(dims: volume.dims, byteLimit: limit) { throw full }
        let error = withError { try RunStoreTests.write(volume, to: store, seed: 1) }
        #expect(error == full && store.isHeld && store.heldByteCount <= limit)
        let other = try RunStore(dims: volume.dims, byteLimit: limit) { MemorySliceStore(LabelStreamTests.blobs) }
        #expect(withError { try RunStoreTests.write(volume, to: other, seed: 1) }?.code == .mismatch)
        for dims in [SIMD3(1 << 31, 1, 1), SIMD3(1, 1 << 40, 1), SIMD3(1, 1, -1)] {
            #expect(withError { _ = try RunStore(dims: dims) { throw full } }?.code == .tooLarge)
        }
        // A table of its slices alone is too large.
        #expect(withError { _ = try RunStore(dims: SIMD3(1, 1, 1 << 30)) { throw full } } == full)
    }
}
