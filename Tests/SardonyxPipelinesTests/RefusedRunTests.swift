import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// Pipelines, models and images that do not fit together: an error that says so before anything is allocated.
struct RefusedRunTests {
    struct Row: Sendable {
        let expected: String
        var fixed: [Int?] = [nil, 1, nil, nil, nil]
        var spacing = SIMD3<Double>(1, 1, 1)
        /// The output's shape for an input's.
        var shape: @Sendable ([Int]) -> [Int] = { [$0[0], 3] + $0.dropFirst(2) }
        var change: @Sendable (inout Pipeline) -> Void = { _ in }
    }

    static let rows: [Row] = [
        Row(expected: "[?, 1, 0, 8, 8]", fixed: [nil, 1, 0, 8, 8]),
        Row(expected: "[?, 1, 8]", fixed: [nil, 1, 8]),
        Row(expected: "tiling.size has 3 values", fixed: [nil, 1, nil, nil], change: { $0.tiling.size = [4, 4, 4] }),
        Row(
            expected: "tiling.mirror names axis 2", fixed: [nil, 1, nil, nil],
            change: {
                $0.tiling.size = []
                $0.tiling.mirror = [2]
            }),
        Row(expected: "output has the shape", shape: { [$0[0], 0] + $0.dropFirst(2) }),
        Row(expected: "output has the shape", shape: { [$0[0] + 1, 3] + $0.dropFirst(2) }),
        Row(expected: "output has the shape", shape: { [$0[0], 3] }),
        Row(expected: "the model makes 0 voxels", shape: { [$0[0], 3, 0, $0[3], $0[4]] }),
        Row(
            expected: "the model gave the shape [1, 3, 4, 4, 4]", shape: { [1, 3] + $0.dropFirst(2) },
            change: {
                $0.tiling.batch = 4
            }),
        Row(expected: "one channel", shape: { [$0[0], 1] + $0.dropFirst(2) }),
        Row(expected: "enough for 2 labels", change: { $0.labels = (1...3).map { .init(value: $0, name: "\($0)") } }),
        Row(expected: "share others' values", change: { $0.labels = [.init(value: 2, name: "a")] }),
        Row(expected: "times finer", shape: { $0[..<1] + [3] + $0.dropFirst(2).map { $0 << 40 } }),
        Row(expected: "the network's grid would have", change: { $0.input.sampling = .spacing([1e-4, 1e-4, 1e-4]) }),
        Row(
            expected: "axis of 8 voxels", spacing: SIMD3(1e-20, 1, 1),
            change: {
                $0.input.sampling = .spacing([1, 1, 1])
                $0.input.alignment = .centres
            }),
        Row(
            expected: "no machine holds",
            change: {
                $0.tiling.size = [65536, 65536, 65536]
                $0.tiling.scheme = .monai
            }),
        Row(
            expected: "the machine has",
            change: {
                $0.tiling.size = [4096, 4096, 4096]
                $0.tiling.scheme = .monai
            }),
    ]

    @Test(arguments: rows.indices) func refused(_ index: Int) throws {
        let row = RefusedRunTests.rows[index]
        let folder = TemporaryFolder()
        var pipeline = Pipeline.test(task: .segmentation)
        pipeline.tiling = Pipeline.Tiling(scheme: .monai, size: [4, 4, 4])
        row.change(&pipeline)
        let volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(8, 9, 10), affine: Affine(spacing: row.spacing)))
        let error = #expect(throws: (any Error).self) {
            let network = ShapedNetwork(row.shape)
            _ = try studyRun([volume], pipeline, network, fixedShape: row.fixed, in: folder)(progress: { _ in })
        }
        #expect("\(error!)".contains(row.expected))
    }
}

/// Gives zeros of a shape, or what a closure makes of the input.
final class ShapedNetwork: Network {
    private let shape: ([Int]) -> [Int]
    private let values: (([Float], [Int]) -> [Float])?

    init(_ shape: @escaping ([Int]) -> [Int], values: (([Float], [Int]) -> [Float])? = nil) {
        self.shape = shape
        self.values = values
    }

    func byteCount(shape: [Int]) -> Int { 4 * shape.reduce(1, *) }

    func outputShape(shape: [Int]) -> [Int] { self.shape(shape) }

    func run(
        shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void,
        use: (UnsafeBufferPointer<Float>, [Int]) throws -> Void
    ) throws {
        var input = [Float](repeating: .nan, count: shape.reduce(1, *))
        try input.withUnsafeMutableBufferPointer { try fill($0) }
        let found = outputShape(shape: shape)
        let output = values?(input, shape) ?? [Float](repeating: 0, count: found.reduce(1, *))
        try output.withUnsafeBufferPointer { try use($0, found) }
    }
}
