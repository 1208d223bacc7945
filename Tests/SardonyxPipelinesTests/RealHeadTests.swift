import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// The trained model on Debian's head. Figures: `Models/brain-extraction/expected.json`, from ONNX Runtime and SciPy.
@Suite(.serialized)
struct RealHeadTests {
    static let pipeline = repositoryFile("Models/brain-extraction")

    private static func run(_ volume: Volume<Float>, _ folder: TemporaryFolder, _ name: String) throws -> Mask {
        let path = folder.path + "/" + name + ".nii.gz"
        try NIfTI.write(volume, to: path)
        let runner = try PipelineRunner(Pipeline(contentsOf: pipeline))
        let report = try runner.run(Study(name: name, images: [path]), into: folder.path + "/out")
        #expect(report.failure == nil)
        let mask = try VolumeFile(contentsOf: folder.path + "/out/\(name)/mask.nii.gz").volume().mask(above: 0)
        #expect(mask.grid.isAligned(with: volume.grid))
        return Mask(grid: volume.grid, voxels: mask.voxels)
    }

    @Test func theHead() throws {
        let folder = TemporaryFolder()
        let volume = try VolumeFile(contentsOf: ch2).volume()
        let mask = try RealHeadTests.run(volume, folder, "head")
        let reference = try VolumeFile(contentsOf: ch2bet).volume().mask(above: 0)
        var measures = LabelMeasures()
        (measures.measuresComponents, measures.measuresDiameters) = (true, false)
        let regions = try measures.measure(MemorySliceStore(mask: mask), grid: mask.grid)
        #expect(abs(regions[0].millilitres - 1873.861) < 0.5)
        // The whole and its one part.
        #expect(regions.count == 2)
        #expect(abs(try mask.dice(reference) - 0.93376) < 2e-4)
        // The order of the same voxels changes nothing.
        for code in ["LPS", "PIL", "SRA"] {
            let turned = volume.reoriented(to: Orientation(code)!)
            let again = try RealHeadTests.run(turned, folder, code)
            #expect(again.reoriented(to: .ras).voxels == mask.voxels, "\(code)")
        }
    }

    /// On other voxels: nearly the same brain.
    @Test(arguments: [SIMD3(0.5, 0.5, 0.5), SIMD3(1, 1, 4), SIMD3(2.5, 1.2, 1)]) func otherVoxels(
        _ spacing: SIMD3<Double>
    ) throws {
        let folder = TemporaryFolder()
        let volume = try VolumeFile(contentsOf: ch2).volume()
        let dims = SIMD3<Double>(volume.dims) / spacing
        let other = volume.resized(
            to: SIMD3(Int(dims.x.rounded()), Int(dims.y.rounded()), Int(dims.z.rounded())), by: .linear)
        let mask = try RealHeadTests.run(other, folder, "other")
        let back = Mask(grid: volume.grid, voxels: mask.resizedNearest(to: volume.dims).voxels)
        let reference = try VolumeFile(contentsOf: ch2bet).volume().mask(above: 0)
        #expect(try back.dice(reference) >= 0.92)
        let plain = try RealHeadTests.run(volume, folder, "plain")
        #expect(try back.dice(plain) >= 0.97)
    }
}
