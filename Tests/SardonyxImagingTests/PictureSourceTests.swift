import Testing

@testable import SardonyxImaging

struct PictureSourceTests {
    /// Reads in the order of storage, each box once, never more than a slice or 65536 voxels, and hands errors on.
    @Test func boxes() throws {
        let grid = VoxelGrid(dims: SIMD3(300, 260, 12), affine: Affine(spacing: SIMD3(-1, 1, 4)))
        var ends: [Int] = []
        let source = PictureSource(grid: grid) { box, component, values in
            let (lower, upper) = (box.lower, box.upper)
            #expect(component == 0 && lower.x == 0 && lower.y == 0 && upper.x == 300 && upper.y == 260)
            #expect(lower.z >= (ends.last ?? 0) && upper.z == lower.z + 1 && upper.z <= 12)
            #expect(values.count == 300 * 260)
            ends.append(upper.z)
            values.update(repeating: Float(lower.z))
        }
        var montage = Montage()
        montage.count = 3
        montage.style.width = 200
        _ = try montage.render(source)
        // Slices 2, 6 and 10, and those of the lattice for the window: every second.
        #expect(ends == [2, 3, 4, 6, 7, 8, 10, 11, 12])
        ends = []
        var view = ThreePlaneView()
        view.style.width = 200
        _ = try view.render(source)
        #expect(ends == Array(1...12))
        let failing = PictureSource(grid: grid) { _, _, _ in
            throw ImagingError(.truncated, problem: "it is cut short", remedy: "copy it again")
        }
        #expect(withError { _ = try ThreePlaneView().render(failing) }?.code == .truncated)
    }

    /// Files, plain and compressed, give the pictures that volumes give.
    @Test func files() throws {
        let folder = TemporaryFolder()
        let (image, labels) = MontageTests.marked()
        let mask = Volume<UInt8>(grid: labels.grid, voxels: labels.voxels.map { UInt8($0) })
        var montage = Montage()
        montage.style = MontageTests.style
        let expected = try montage.render(PictureSource(image), labels: PictureSource(labels: mask))
        let lone = try montage.render(
            PictureSource(image), labels: PictureSource(labels: image.mask(above: 50)))
        for (name, other) in [("a.nii", "b.nii.gz"), ("c.nii.gz", "d.nii")] {
            try NIfTI.write(image, to: folder.path + "/" + name)
            try NIfTI.write(mask, to: folder.path + "/" + other)
            let file = try VolumeFile(contentsOf: folder.path + "/" + name)
            let labelFile = try VolumeFile(contentsOf: folder.path + "/" + other)
            #expect(try montage.render(PictureSource(file), labels: PictureSource(labelFile)) == expected)
            #expect(try montage.render(PictureSource(file), labels: PictureSource(file).above(50)) == lone)
            #expect(withError { _ = try montage.render(PictureSource(file, frame: 1)) }?.code == .mismatch)
        }
    }

    /// Whatever a file holds and wherever its values lie: what is looked at as it is stored is what is read.
    @Test(arguments: Sample.all.indices)
    func stored(_ row: Int) throws {
        let folder = TemporaryFolder()
        let file = try VolumeFile(contentsOf: Sample.all[row].write(to: folder))
        let frame = file.frames - 1
        let source = PictureSource(file, frame: frame)
        let read = PictureSource(grid: file.grid, components: source.components, isPlaced: source.isPlaced) {
            try file.read($0, frame: frame, component: $1, into: $2)
        }
        let dims = source.upright.dims
        let addresses = SlicePlane.allCases.flatMap { plane in
            (0..<dims[plane.axes.through]).map { SliceAddress(plane: plane, index: $0) }
        }
        for samples in [0, 7, 100_000] {
            for wanted in [addresses, [addresses[0]], [addresses[addresses.count - 1]], []] {
                let (found, expected) = (
                    try source.slices(wanted, samples: samples), try read.slices(wanted, samples: samples)
                )
                #expect(found.slices.map { $0.map(\.values) } == expected.slices.map { $0.map(\.values) })
                #expect(found.sample == expected.sample && found.sample.isEmpty == (samples == 0))
            }
        }
        if source.channels == 1 {
            let (survey, plain) = (try? LabelSurvey(of: source), try? LabelSurvey(of: read))
            #expect(survey?.along == plain?.along && survey?.counts.map(\.count) == plain?.counts.map(\.count))
        }
    }

    /// Runs give the pictures that the labels give, in every order of storage, and no voxel is read.
    @Test(arguments: ["RAS", "LPS", "PIR", "SLA", "AIL", "IPR"], [false, true])
    func runs(code: String, background: Bool) throws {
        let (image, marked) = MontageTests.marked()
        let labels = marked.reoriented(to: Orientation(code)!)
        let count = labels.dims.x * labels.dims.y
        let source = PictureSource(grid: labels.grid) { visit in
            for k in 0..<labels.dims.z {
                var runs = LabelRuns(width: labels.dims.x, height: labels.dims.y)
                labels.voxels[k * count..<(k + 1) * count].withUnsafeBufferPointer {
                    runs.scan($0, background: background)
                }
                try visit(k, runs)
            }
        } read: { _, _, _ in
            throw ImagingError(.cannotRead, problem: "it is to be drawn from runs", remedy: "do")
        }
        let plain = PictureSource(labels: labels)
        let (survey, expected) = (try LabelSurvey(of: source), try LabelSurvey(of: plain))
        #expect(survey.along == expected.along && survey.counts.map(\.count) == expected.counts.map(\.count))
        for plane in SlicePlane.allCases {
            var montage = Montage()
            montage.style = MontageTests.style
            montage.plane = plane
            let image = PictureSource(image)
            #expect(try montage.render(image, labels: source) == montage.render(image, labels: plain))
        }
        let broken = PictureSource(grid: labels.grid) { _ in
            throw ImagingError(.cannotRead, problem: "the disk is gone", remedy: "find it")
        } read: { _, _, _ in
        }
        #expect(withError { _ = try Montage().render(PictureSource(image), labels: broken) }?.code == .cannotRead)
    }

    /// Thin slices are read many at a time.
    @Test func slabs() throws {
        let grid = VoxelGrid(dims: SIMD3(4, 4, 5000), affine: .identity)
        var count = 0
        let source = PictureSource(grid: grid) { box, _, values in
            count += 1
            #expect(values.count == box.count && values.count <= 65536)
        }
        _ = try source.slices([SliceAddress(plane: .coronal, index: 2)])
        #expect(count == 2)
    }

    /// The sample is spread over all three axes, whatever their lengths, and does not depend on the order of storage.
    @Test(arguments: [SIMD3(100, 64, 50), SIMD3(1000, 1, 7), SIMD3(3, 2, 2), SIMD3(1, 1, 100_000)])
    func sample(dims: SIMD3<Int>) throws {
        let box = VoxelGrid(dims: dims, affine: Affine(spacing: SIMD3(1, 1, 1)))
        let volume = Volume<Float>(grid: box, voxels: (0..<box.count).map { Float($0) })
        let sample = try PictureSource(volume).slices([], samples: 1000).sample.sorted()
        #expect(sample.count <= 1000 && sample.count >= min(box.count, 100))
        #expect(Set(sample).count == sample.count)
        for (stride, length) in [(1, dims.x), (dims.x, dims.y), (dims.x * dims.y, dims.z)] {
            let places = Set(sample.map { Int($0) / stride % length })
            #expect(places.count * 20 >= min(length, 200), "\(length)")
            #expect(2 * places.min()! <= length && 2 * (places.max()! + 1) >= length)
        }
        if box.count < 500_000 {
            for code in ["LAS", "PIR", "SLA"] {
                let turned = volume.reoriented(to: Orientation(code)!)
                #expect(try PictureSource(turned).slices([], samples: 1000).sample.sorted() == sample)
            }
        }
    }

    /// A picture without a patient is drawn as stored, in its own colours, without letters or a bar.
    @Test func colours() throws {
        let grid = VoxelGrid(dims: SIMD3(6, 4, 1), affine: Affine(spacing: SIMD3(7, 7, 7)))
        func channels(_ most: Float) -> [Volume<Float>] {
            (0..<3).map { c in
                Volume<Float>(grid: grid, voxels: (0..<24).map { p in p == [0, 5, 18][c] ? most : 0 })
            }
        }
        for most in [Float(255), 65535] {
            let source = PictureSource(colours: channels(most), isPlaced: false)
            var (view, montage) = (ThreePlaneView(), Montage())
            view.style.width = 300
            montage.style.width = 300
            for picture in [try view.render(source), try montage.render(source)] {
                let (left, right) = (picture.width / 2 - 80, picture.width / 2 + 80)
                let lit = (0..<picture.height).flatMap { y in (0..<picture.width).map { (x: $0, y: y) } }
                let red = lit.filter { picture[$0.x, $0.y] == RGB(255, 0, 0) }
                let green = lit.filter { picture[$0.x, $0.y] == RGB(0, 255, 0) }
                let blue = lit.filter { picture[$0.x, $0.y] == RGB(0, 0, 255) }
                #expect(!red.isEmpty && !green.isEmpty && !blue.isEmpty)
                #expect(red.allSatisfy { $0.x < left } && green.allSatisfy { $0.x > right })
                #expect(blue.allSatisfy { $0.x < left } && blue.map(\.y).min()! > red.map(\.y).max()!)
            }
        }
        // Dark colours are not brightened; two components are a grey picture.
        let dark = PictureSource(colours: channels(3), isPlaced: false)
        let (panels, limits) = try PictureScene(dark, nil, PictureStyle()).panels(
            [SliceAddress(plane: .axial, index: 0)], 1.0 / 7)
        #expect(panels[0][0, 0] == RGB(3, 0, 0) && panels[0].width == 6 && limits == nil)
        let two = PictureSource(colours: Array(channels(9).prefix(2)), isPlaced: false)
        let grey = try PictureScene(two, nil, PictureStyle()).panels([SliceAddress(plane: .axial, index: 0)], 1.0 / 7)
        #expect(grey.panels[0][0, 0] == .white && grey.panels[0][5, 0] == .black && grey.limits != nil)
    }
}
