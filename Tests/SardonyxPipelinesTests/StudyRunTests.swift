import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// The run around a network, against MONAI's `sliding_window_inference` and nnU-Net's padding, steps, weights and
/// mirroring, with three fixed 3×3×3 convolutions in the network's place.
struct StudyRunTests {
    /// v[i, j, k] = ((7 i + 5 j + 3 k) mod 11) / 2 + ((i j + k) mod 7) / 4 − 1.5 over 20×17×13 voxels.
    static func image() -> Volume<Float> {
        let grid = VoxelGrid(dims: SIMD3(20, 17, 13), affine: Affine(spacing: SIMD3(1, 1.5, 2)))
        var volume = Volume<Float>(grid: grid)
        for k in 0..<13 {
            for j in 0..<17 {
                for i in 0..<20 {
                    volume[i, j, k] =
                        Float((7 * i + 5 * j + 3 * k) % 11) * 0.5 + Float((i * j + k) % 7) * 0.25 - 1.5
                }
            }
        }
        return volume
    }

    struct Row: Sendable {
        let scheme: Pipeline.Tiling.Scheme
        let size: [Int]
        let overlap: Double
        let weight: Pipeline.Tiling.Weight
        var mirror: [Int] = []
        /// Output 0 at (0, 0, 0), 1 at (7, 8, 9), 2 at (19, 16, 12), 0 at (5, 6, 7), 1 at (10, 0, 12).
        let values: [Float]
        /// Σ |output|
        let sum: Double
    }

    static let rows: [Row] = [
        Row(
            scheme: .monai, size: [8, 8, 8], overlap: 0.25, weight: .constant,
            values: [0.9, -0.725, 0.85, -1.1375, 1.9], sum: 15565.875),
        Row(
            scheme: .monai, size: [8, 8, 8], overlap: 0.25, weight: .gaussian,
            values: [0.9, -1.279328, 0.85, -1.750114, 1.9], sum: 16043.19531),
        Row(
            scheme: .monai, size: [6, 9, 5], overlap: 0.5, weight: .gaussian,
            values: [0.9, -1.349135, 0.85, -2.405254, 1.9], sum: 16072.61328),
        Row(
            scheme: .monai, size: [24, 8, 16], overlap: 0.25, weight: .gaussian,
            values: [0.9, -1.375, 0.85, -2.317076, 1.9], sum: 16497.90625),
        Row(
            scheme: .whole, size: [], overlap: 0, weight: .constant, values: [0.9, -1.375, 0.85, -2.425, 1.9],
            sum: 16654.59961),
        Row(
            scheme: .nnunet, size: [8, 8, 8], overlap: 0.5, weight: .gaussian,
            values: [0.9, -1.342952, 0.85, -2.406575, 1.9], sum: 16614.70312),
        Row(
            scheme: .nnunet, size: [8, 6, 7], overlap: 0.5, weight: .gaussian, mirror: [0, 1, 2],
            values: [0.025, 0.036838, 0, -1.065572, 0.465625], sum: 4127.85938),
        Row(
            scheme: .nnunet, size: [24, 8, 8], overlap: 0.5, weight: .gaussian, mirror: [2],
            values: [0.6, -1.189013, 0.55, -2.065244, 1.5375], sum: 11302.40625),
        Row(
            scheme: .nnunet, size: [7, 7, 7], overlap: 0.25, weight: .constant, mirror: [0],
            values: [0.4125, -0.4125, 1.15, -1.425, 0.9625], sum: 9721.99805),
    ]

    @Test(arguments: rows) func tiles(_ row: Row) throws {
        let folder = TemporaryFolder()
        var results: [[Float]] = []
        for batch in [1, 4] {
            var pipeline = Pipeline.test(task: .reconstruction)
            pipeline.tiling = Pipeline.Tiling(
                scheme: row.scheme, size: row.size, overlap: row.overlap, weight: row.weight, sigma: 0.125)
            pipeline.tiling.mirror = row.mirror
            pipeline.tiling.batch = batch
            let network = Convolutions()
            let run = try studyRun([StudyRunTests.image()], pipeline, network, in: folder)
            let values = try run { _ in }.values.flatMap { try $0.all() }
            #expect(network.peak == min(batch, run.layout.runsPerRow))
            results.append(values)
            let places = [(0, 0, 0, 0), (1, 7, 8, 9), (2, 19, 16, 12), (0, 5, 6, 7), (1, 10, 0, 12)]
            let found = places.map { place in
                let (c, i, j, k) = place
                return values[i + 20 * (j + 17 * (k + 13 * c))]
            }
            for (value, wanted) in zip(found, row.values) { #expect(abs(value - wanted) < 1e-5) }
            let sum = values.reduce(0.0) { $0 + Double(abs($1)) }
            #expect(abs(sum - row.sum) < 1e-5 * row.sum)
        }
        #expect(results[0] == results[1])
    }

    /// How a file is stored does not show in its result: the same labels for the same voxels.
    @Test(arguments: ["RAS", "LPS", "SAR", "PIL", "ASL", "IRP", "RSA"]) func orientations(_ code: String) throws {
        let folder = TemporaryFolder()
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.tiling = Pipeline.Tiling(scheme: .monai, size: [8, 6, 7], overlap: 0.5, weight: .gaussian)
        pipeline.input.sampling = .spacing([1.2, nil, 1.3])
        pipeline.input.crop = .foreground(above: 2.5, margin: 1)
        var image = StudyRunTests.image()
        for k in 0..<4 { for j in 0..<17 { for i in 0..<20 { image[i, j, k] = -1 } } }
        for k in 0..<13 { for j in 0..<17 { for i in 15..<20 { image[i, j, k] = 0 } } }
        let plain = try labels(image, pipeline, folder)
        #expect(Set(plain.voxels) == [0, 1, 2])
        #expect(plain[2, 3, 1] == 0)
        let turned = image.reoriented(to: Orientation(code)!)
        let found = try labels(turned, pipeline, folder)
        #expect(found.grid == turned.grid)
        #expect(found.reoriented(to: .ras).voxels == plain.voxels)
    }

    private func labels(
        _ image: Volume<Float>, _ pipeline: Pipeline, _ folder: TemporaryFolder
    ) throws -> Volume<UInt16> {
        let run = try studyRun([image], pipeline, Convolutions(), in: folder)
        return Volume(grid: run.resultGrid, voxels: try #require(try run { _ in }.labels).all())
    }
}

/// Three 3×3×3 convolutions with zeros around: weight n of output c is ((7 n + 3 c) mod 5 − 2) / 10.
final class Convolutions: Network {
    /// The most tiles in a run.
    private(set) var peak = 0

    func byteCount(shape: [Int]) -> Int { 0 }

    func outputShape(shape: [Int]) -> [Int] { [shape[0], 3] + shape.dropFirst(2) }

    func run(
        shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void,
        use: (UnsafeBufferPointer<Float>, [Int]) throws -> Void
    ) throws {
        peak = max(peak, shape[0])
        let (d, h, w) = (shape[2], shape[3], shape[4])
        var input = [Float](repeating: .nan, count: shape.reduce(1, *))
        try input.withUnsafeMutableBufferPointer { try fill($0) }
        var output: [Float] = []
        for tile in 0..<shape[0] {
            for c in 0..<3 {
                for z in 0..<d {
                    for y in 0..<h {
                        for x in 0..<w {
                            var sum: Float = 0
                            for n in 0..<27 {
                                let (a, b, e) = (z + n / 9 - 1, y + n / 3 % 3 - 1, x + n % 3 - 1)
                                guard a >= 0, a < d, b >= 0, b < h, e >= 0, e < w else { continue }
                                sum += Float((n * 7 + c * 3) % 5 - 2) / 10 * input[((tile * d + a) * h + b) * w + e]
                            }
                            output.append(sum)
                        }
                    }
                }
            }
        }
        try output.withUnsafeBufferPointer { try use($0, outputShape(shape: shape)) }
    }
}
