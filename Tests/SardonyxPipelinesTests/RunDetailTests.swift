import Glibc
import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// Parts of a run by themselves.
struct RunDetailTests {
    /// `scipy.special.softmax(x, axis=0)` and `scipy.special.expit(x)` of x = [[-3, 100, 0.5], [2, 101, -100]].
    @Test func activations() {
        let x: [Float] = [-3, 100, 0.5, 2, 101, -100]
        let rows: [(Pipeline.Output.Activation, [Double])] = [
            (.none, x.map { Double($0) }),
            (.softmax, [0.006692850924, 0.2689414214, 1, 0.9933071491, 0.7310585786, 0]),
            (.sigmoid, [0.04742587318, 1, 0.6224593312, 0.880797078, 1, 0]),
        ]
        for (activation, wanted) in rows {
            var values = x
            values.withUnsafeMutableBufferPointer { activation.apply($0, channels: 2) }
            for (value, wanted) in zip(values, wanted) {
                #expect(abs(Double(value) - wanted) < 1e-6 * (1 + abs(wanted)))
            }
        }
    }

    /// Where tiles are not run there is no label, and a flat network's tile is empty when its neighbours are too.
    @Test(arguments: [
        (Pipeline.Output.Activation.sigmoid, Pipeline.Output.Decision.threshold(0.3)),
        (.none, .threshold(-1)), (.softmax, .argmax), (.none, .argmax),
    ])
    func emptyTiles(_ activation: Pipeline.Output.Activation, _ decision: Pipeline.Output.Decision) throws {
        let folder = TemporaryFolder()
        var volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(8, 4, 6), affine: Affine(spacing: SIMD3(1, 1, 1))))
        volume[1, 1, 3] = 1
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.output = Pipeline.Output(activation: activation, decision: decision)
        pipeline.input.axes = .stored([2, 1, 0])
        pipeline.tiling = Pipeline.Tiling(scheme: .monai, size: [4, 4], overlap: 0, weight: .constant)
        pipeline.tiling.skipsEmptyTiles = true
        pipeline.tiling.neighbours = 1
        let path = folder.path + "/image.nii"
        try NIfTI.write(volume, to: path)
        var tiles = 0
        // The second channel wins wherever the network is run.
        let network = ShapedNetwork {
            [$0[0], 2] + $0.dropFirst(2)
        } values: { _, shape in
            tiles += shape[0]
            return (0..<shape[0]).flatMap { _ in
                [Float](repeating: -5, count: 16) + [Float](repeating: 5, count: 16)
            }
        }
        let images = try StudyImages([VolumeFile(contentsOf: path)], pipeline.input, frame: 0)
        let run = try StudyRun(
            pipeline, images, network: network, fixedShape: [nil, 3, nil, nil], folder: folder.path)
        let labels = try #require(try run { _ in }.labels)
        var found = [UInt16](repeating: 9, count: 8 * 4 * 6)
        try found.withUnsafeMutableBufferPointer {
            try labels.read(VoxelBox(lower: .zero, upper: volume.dims), into: $0.baseAddress!)
        }
        #expect(tiles == 3)
        let label = run.labelTable[1]
        for index in found.indices {
            let isRun = index % 8 < 4 && (2...4).contains(index / 32)
            #expect(found[index] == (isRun ? label : 0), "\(index)")
        }
    }

    /// Labels that overlap are cleaned by themselves: the second label cuts the first's parts in the label image only.
    @Test func masksAreCleaned() throws {
        let folder = TemporaryFolder()
        var volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(8, 1, 1), affine: Affine(spacing: SIMD3(1, 1, 1))))
        for (i, value) in [1, 1, 3, 1, 0, 0, 1, 2].enumerated() { volume[i, 0, 0] = Float(value) }
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.output.decision = .threshold(0.5)
        pipeline.labels = [.init(value: 5, name: "a"), .init(value: 7, name: "b")]
        pipeline.results = [.init(.masks, "masks.nii")]
        let path = folder.path + "/image.nii"
        try NIfTI.write(volume, to: path)
        // The first label has odd values, the second those above 1.
        let network = ShapedNetwork {
            [$0[0], 2] + $0.dropFirst(2)
        } values: { values, _ in
            values.map { Int($0) % 2 == 1 ? 1 : 0 } + values.map { $0 > 1 ? 1 : 0 }
        }
        let images = try StudyImages([VolumeFile(contentsOf: path)], pipeline.input, frame: 0)
        let run = try StudyRun(
            pipeline, images, network: network, fixedShape: [nil, 1, nil, nil, nil], folder: folder.path)
        let result = try run { _ in }
        try result.clean([.largestComponent(labels: [])], voxelVolume: 1)
        let found = try ([#require(result.labels)] + result.masks).map { volume in
            var values = [UInt16](repeating: 9, count: 8)
            try values.withUnsafeMutableBufferPointer {
                try volume.read(VoxelBox(lower: .zero, upper: SIMD3(8, 1, 1)), into: $0.baseAddress!)
            }
            return values
        }
        #expect(found[0] == [5, 5, 7, 0, 0, 0, 0, 0])
        #expect(found[1] == [5, 5, 5, 5, 0, 0, 0, 0])
        #expect(found[2] == [0, 0, 7, 0, 0, 0, 0, 0])
    }

    /// A second channel that lies on another grid, partly or wholly outside the first's: linear between voxels, 0 outside.
    @Test(arguments: [(SIMD3<Double>(0, 0, 0), true), (SIMD3(0, 0, 3), true), (SIMD3(500, 0, 0), false)])
    func channelOnAnotherGrid(_ origin: SIMD3<Double>, _ meets: Bool) throws {
        let folder = TemporaryFolder()
        let first = Volume<Float>(grid: VoxelGrid(dims: SIMD3(4, 5, 6), affine: Affine(spacing: SIMD3(1, 1, 1))))
        let second = Volume<Float>(
            grid: VoxelGrid(dims: SIMD3(6, 6, 6), affine: Affine(spacing: SIMD3(2, 2, 2), origin: origin)),
            voxels: [Float](repeating: 7, count: 216))
        let paths = ["/a.nii", "/b.nii"].map { folder.path + $0 }
        try NIfTI.write(first, to: paths[0])
        try NIfTI.write(second, to: paths[1])
        var input = Pipeline.Input(channels: [.init(name: "a"), .init(name: "b")])
        input.axes = .anatomical(.ras)
        let images = try StudyImages(paths.map { try VolumeFile(contentsOf: $0) }, input, frame: 0)
        var found = [Float](repeating: -1, count: 120)
        for k in 0..<6 {
            let box = VoxelBox(lower: SIMD3(0, 0, k), upper: SIMD3(4, 5, k + 1))
            try found.withUnsafeMutableBufferPointer {
                try images.channels[1].read(box, into: UnsafeMutableBufferPointer(rebasing: $0[k * 20..<(k + 1) * 20]))
            }
        }
        for index in found.indices {
            let isInside = meets && Double(index / 20) >= origin.z - 1
            #expect(found[index] == (isInside ? 7 : 0))
        }
    }

    /// However little of an oblique image is in memory, it gives the same values.
    @Test(arguments: [1, 40, 500]) func obliqueChannel(_ most: Int) throws {
        let folder = TemporaryFolder()
        let image = StudyRunTests.image()
        let tilted = Affine(
            columns: SIMD3(0.8, 0.6, 0), SIMD3(-0.6, 0.8, 0.3), SIMD3(0.1, -0.2, 1), origin: SIMD3(3, -4, 2))
        let onto = VoxelGrid(dims: SIMD3(14, 12, 10), affine: tilted)
        try NIfTI.write(image, to: folder.path + "/image.nii")
        let file = try VolumeFile(contentsOf: folder.path + "/image.nii")
        let results = try [most, 1 << 20].map { most in
            let channel = SourceChannel(
                file: file, frame: 0, component: 0, onto: onto, refusesNonFinite: false, mostAtOnce: most)
            var values = [Float](repeating: 0, count: 5 * 12 * 7)
            try values.withUnsafeMutableBufferPointer {
                try channel.read(VoxelBox(lower: SIMD3(4, 0, 2), upper: SIMD3(9, 12, 9)), into: $0)
            }
            return values
        }
        #expect(results[1].contains { $0 != 0 })
        #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// What is hashed of an image whose voxels lie in other files.
    @Test func filesOfAnImage() throws {
        let folder = TemporaryFolder()
        let header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: voxels.raw\n"
        let paths = ["/image.nhdr", "/voxels.raw", "/plain.nii"].map { folder.path + $0 }
        for (path, bytes) in zip(paths, [Array(header.utf8), [1, 2, 3, 4, 5, 6, 7, 8]]) {
            let file = try #require(fopen(path, "w"))
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
        let grid = VoxelGrid(dims: SIMD3(2, 2, 2), affine: Affine(spacing: SIMD3(1, 1, 1)))
        try NIfTI.write(Volume<Float>(grid: grid), to: paths[2])
        #expect(try VolumeFile.files(of: paths[0]) == [paths[0], paths[1]])
        #expect(try VolumeFile.files(of: paths[2]) == [paths[2]])
        #expect(withError { _ = try VolumeFile.files(of: folder.path) } != nil)
    }

    @Test func regionsWithoutVoxelsChangeNothing() throws {
        let step = Pipeline.IntensityStep.zScore(region: .above(1000), onlyInside: false)
        let figures = try RegionFigures(of: .above(1000), percentiles: []) { visit in
            var values: [Float] = [1, 2, 3]
            values.withUnsafeMutableBufferPointer { visit($0, nil) }
        }
        #expect(step.resolved(figures).isEmpty)
    }
}
