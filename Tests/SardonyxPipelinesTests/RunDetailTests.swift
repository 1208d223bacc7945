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
            values.withUnsafeMutableBufferPointer { activation.apply($0, channels: 2, .shared) }
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
        let run = try studyRun([volume], pipeline, network, fixedShape: [nil, 3, nil, nil], in: folder)
        let found = try #require(try run { _ in }.labels).all()
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
        // The first label has odd values, the second those above 1.
        let network = ShapedNetwork {
            [$0[0], 2] + $0.dropFirst(2)
        } values: { values, _ in
            values.map { Int($0) % 2 == 1 ? 1 : 0 } + values.map { $0 > 1 ? 1 : 0 }
        }
        let result = try studyRun([volume], pipeline, network, in: folder)(progress: { _ in })
        try result.clean([.largestComponent(labels: [])], voxelVolume: 1)
        let found = try ([#require(result.labels)] + result.masks).map { try $0.all() }
        #expect(found[0] == [5, 5, 7, 0, 0, 0, 0, 0])
        #expect(found[1] == [5, 5, 5, 5, 0, 0, 0, 0])
        #expect(found[2] == [0, 0, 7, 0, 0, 0, 0, 0])
    }

    /// A second channel that lies on another grid, partly or wholly outside the first's: linear between voxels, the
    /// outermost's value to their faces, 0 outside.
    @Test(arguments: [SIMD3<Double>(0, 0, 0), SIMD3(0.5, 1.5, 3), SIMD3(500, 0, 0)])
    func channelOnAnotherGrid(_ origin: SIMD3<Double>) throws {
        let folder = TemporaryFolder()
        let first = Volume<Float>(grid: VoxelGrid(dims: SIMD3(4, 5, 6), affine: Affine(spacing: SIMD3(1, 1, 1))))
        let grid = VoxelGrid(dims: SIMD3(6, 6, 6), affine: Affine(spacing: SIMD3(2, 2, 2), origin: origin))
        func value(_ place: SIMD3<Double>) -> Float { Float(place.x + 10 * place.y + 100 * place.z) }
        let paths = ["/a.nii", "/b.nii"].map { folder.path + $0 }
        try NIfTI.write(first, to: paths[0])
        try NIfTI.write(Volume(grid, value), to: paths[1])
        var input = Pipeline.Input(channels: [.init(name: "a"), .init(name: "b")])
        input.axes = .anatomical(.ras)
        let images = try StudyImages(paths.map { try VolumeFile(contentsOf: $0) }, input, frame: 0)
        var found = [Float](repeating: -1, count: 120)
        for k in 0..<6 {
            let box = VoxelBox(slice: k, of: first.dims)
            try found.withUnsafeMutableBufferPointer {
                try images.channels[1].read(box, into: UnsafeMutableBufferPointer(rebasing: $0[k * 20..<(k + 1) * 20]))
            }
        }
        for index in found.indices {
            let place = SIMD3(Double(index % 4), Double(index / 4 % 5), Double(index / 20))
            let (low, high): (SIMD3<Double>, SIMD3<Double>) = (origin, origin + 10)
            let isInside = all(place .>= low - 1) && all(place .<= high + 1)
            let wanted = isInside ? value(place.clamped(lowerBound: low, upperBound: high)) : 0
            #expect(abs(found[index] - wanted) < 1e-4, "\(place)")
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

    /// Of a crop of one voxel the slices count in which it is found: two as they are read, one on the network's x, one
    /// on its y, and one that goes by, of 4 bytes; a mask's 2, and a foreground's 2 where one is asked for.
    @Test(arguments: [false, true]) func preparingCounts(_ hasForeground: Bool) throws {
        var image = Volume<Float>(grid: VoxelGrid(dims: SIMD3(40, 30, 5), affine: .identity))
        image[7, 8, 3] = 1
        var pipeline = Pipeline.test(task: .reconstruction)
        pipeline.input.crop = .nonzero(margin: 0)
        if hasForeground {
            pipeline.input.changesIntensityFirst = true
            pipeline.input.channels[0].intensity = [.zScore(region: .foreground, onlyInside: false)]
        }
        let folder = TemporaryFolder()
        let run = try studyRun([image], pipeline, ShapedNetwork { $0 }, in: folder)
        #expect(run.grid.dims == SIMD3(1, 1, 1))
        #expect(try run.peakMemory() == 4 + 40 * 30 * (5 * 4 + 2 + (hasForeground ? 2 : 0)))
    }

    /// More voxels than are written at once.
    @Test func filledVolume() throws {
        let folder = TemporaryFolder()
        let volume = try SpillVolume<UInt16>(dims: SIMD3(100, 90, 7), folder: folder.path)
        try volume.fill(with: 513)
        #expect(try volume.all() == [UInt16](repeating: 513, count: 63000))
    }

    /// What is hashed of an image whose voxels lie in other files.
    @Test func filesOfAnImage() throws {
        let folder = TemporaryFolder()
        let header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: voxels.raw\n"
        let paths = [
            folder.write(header, to: "image.nhdr"), folder.write([1, 2, 3, 4, 5, 6, 7, 8], to: "voxels.raw"),
            folder.path + "/plain.nii",
        ]
        let grid = VoxelGrid(dims: SIMD3(2, 2, 2), affine: Affine(spacing: SIMD3(1, 1, 1)))
        try NIfTI.write(Volume<Float>(grid: grid), to: paths[2])
        #expect(try VolumeFile.files(of: paths[0]) == [paths[0], paths[1]])
        #expect(try VolumeFile.files(of: paths[2]) == [paths[2]])
        #expect(throws: ImagingError.self) { try VolumeFile.files(of: folder.path) }
    }

    @Test func regionsWithoutVoxelsChangeNothing() throws {
        let step = Pipeline.IntensityStep.zScore(region: .above(1000), onlyInside: false)
        let figures = try RegionFigures(of: .above(1000), percentiles: [], moments: true, .shared) { visit in
            var values: [Float] = [1, 2, 3]
            values.withUnsafeMutableBufferPointer { visit($0, nil) }
        }
        #expect(step.resolved(figures).isEmpty)
    }
}
