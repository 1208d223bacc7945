import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// A crop of the network's grid, against a run over the whole grid whose network gives 0 beside the crop.
struct WindowRunTests {
    struct Row: Sendable {
        /// Of the image's axis 0, of 40 voxels of 1 mm.
        let spacing: Double
        let zoom: Int
        let method: Interpolation
    }

    static let rows = [1.5, 1 / 3.0, 3, 1].flatMap { spacing in
        [1, 2].flatMap { zoom in Interpolation.allCases.map { Row(spacing: spacing, zoom: zoom, method: $0) } }
    }

    @Test(arguments: rows) func isTheWholeGridBesideWhich0Stands(_ row: Row) throws {
        let grid = VoxelGrid(dims: SIMD3(40, 3, 2), affine: .identity)
        for (low, count) in [(0, 1), (7, 1), (8, 5), (20, 1), (38, 2)] {
            var image = Volume<Float>(grid: grid)
            for k in 0..<2 { for i in low..<low + count { image[i, 1, k] = Float(1 + i % 3) } }
            // A bound that leaves narrow windows too.
            for bound in [0, 0.95] {
                var pipeline = Pipeline.test(task: .reconstruction)
                pipeline.input.axes = .stored([2, 1, 0])
                pipeline.input.sampling = .spacing([nil, nil, row.spacing])
                pipeline.input.crop = .foreground(above: bound, margin: 0)
                pipeline.input.cropsLast = true
                pipeline.output.interpolation = row.method
                let cropped = try run(image, pipeline, row.zoom) { _ in true }
                pipeline.input.crop = .none
                let whole = try run(image, pipeline, row.zoom) { $0 > Float(bound) }
                #expect(zip(cropped, whole).allSatisfy { abs($0 - $1) < 1e-4 }, "\(low) \(count) \(bound)")
            }
        }
    }

    /// 1 + v, `zoom` times finer, in the box around the values that are kept, and 0 beside it; all of it where there are
    /// none.
    private func run(
        _ image: Volume<Float>, _ pipeline: Pipeline, _ zoom: Int, _ isKept: @escaping (Float) -> Bool
    ) throws -> [Float] {
        let network = ShapedNetwork {
            [$0[0], 1] + $0.dropFirst(2).map { $0 * zoom }
        } values: { values, shape in
            let size = Array(shape.dropFirst(2))
            func place(_ n: Int) -> [Int] { [n / (size[1] * size[2]), n / size[2] % size[1], n % size[2]] }
            let kept = values.indices.filter { isKept(values[$0]) }.map(place)
            let box = (0..<3).map { axis in
                kept.isEmpty ? 0...size[axis] - 1 : kept.map { $0[axis] }.min()!...kept.map { $0[axis] }.max()!
            }
            var output: [Float] = []
            for k in 0..<size[0] * zoom {
                for j in 0..<size[1] * zoom {
                    for i in 0..<size[2] * zoom {
                        let coarse = [k / zoom, j / zoom, i / zoom]
                        let value = values[(coarse[0] * size[1] + coarse[1]) * size[2] + coarse[2]]
                        output.append((0..<3).allSatisfy { box[$0].contains(coarse[$0]) } ? 1 + value : 0)
                    }
                }
            }
            return output
        }
        let folder = TemporaryFolder()
        let run = try studyRun([image], pipeline, network, in: folder)
        return try #require(try run { _ in }.values.first).all()
    }
}
