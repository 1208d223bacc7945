import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// The steps around the network, with a closure in its place.
struct BrainExtractionTests {
    /// A bright ball and a small bright speck away from it.
    static func head() -> Volume<Float> {
        let affine = Affine(spacing: SIMD3(1.5, 1, 2), origin: SIMD3(-20, 3, 7))
        var volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(30, 41, 26), affine: affine))
        for k in 0..<26 {
            for j in 0..<41 {
                for i in 0..<30 {
                    let d = SIMD3(Double(i - 17) * 1.5, Double(j - 18), Double(k - 11) * 2)
                    volume[i, j, k] = Affine.length(d) < 13 ? 400 : Float((i * 7 + j * 5 + k * 3) % 90)
                }
            }
        }
        for k in 21..<24 { for j in 36..<40 { for i in 1..<4 { volume[i, j, k] = 400 } } }
        return volume
    }

    static func small() -> BrainExtraction {
        var pipeline = BrainExtraction()
        pipeline.inputDims = SIMD3(20, 24, 16)
        return pipeline
    }

    /// A network that answers its input, so that the mask is what is brighter than half the maximum.
    @Test func stepsAndProgress() throws {
        let volume = BrainExtractionTests.head()
        var stages: [(BrainExtraction.Stage, Double)] = []
        var shapes: [[Int]] = []
        let mask = try BrainExtractionTests.small()(
            volume, progress: { stages.append(($0, $1)) },
            network: { input, shape in
                shapes.append(shape)
                #expect(input.count == 20 * 24 * 16)
                #expect(input.max() == 1 && input.min()! >= 0)
                return input
            })
        #expect(shapes == [[1, 1, 20, 24, 16]])
        #expect(stages.map(\.1) == stages.map(\.1).sorted())
        #expect(stages.first?.1 == 0 && stages.last?.1 == 1)
        #expect(Set(stages.map(\.0)).count == 4)
        #expect(mask.grid == volume.grid)
        #expect(mask[17, 18, 11] == 1)
        #expect(mask[2, 38, 22] == 0)
        // A ball of 13 mm: 9.20 mL.
        #expect(abs(mask.millilitres - 9.20) < 0.5)
        var all = BrainExtractionTests.small()
        all.keepsLargestComponent = false
        #expect(try all(volume) { input, _ in input }[2, 38, 22] == 1)
    }

    /// The network sees [R, A, S] with S fastest.
    @Test func networkLayout() throws {
        let grid = VoxelGrid(dims: SIMD3(2, 3, 4), affine: .identity)
        let volume = Volume<Float>(grid: grid, voxels: (1...24).map { Float($0) })
        var pipeline = BrainExtraction()
        pipeline.inputDims = grid.dims
        let values = try pipeline.networkInput(volume).values.map { Int(($0 * 24).rounded()) }
        // numpy: v.reshape((2, 3, 4), order="F").ravel(order="C")
        #expect(
            values == [1, 7, 13, 19, 3, 9, 15, 21, 5, 11, 17, 23, 2, 8, 14, 20, 4, 10, 16, 22, 6, 12, 18, 24])
    }

    @Test func reorientedSourcesGiveTheSameMask() throws {
        let volume = BrainExtractionTests.head()
        let expected = try BrainExtractionTests.small()(volume) { input, _ in input }
        for orientation in allOrientations {
            let turned = volume.reoriented(to: orientation)
            let mask = try BrainExtractionTests.small()(turned) { input, _ in input }
            #expect(mask.grid == turned.grid)
            #expect(mask.reoriented(to: .ras).voxels == expected.voxels, "\(orientation)")
        }
    }

    @Test func badVolumes() throws {
        let grid = VoxelGrid(dims: SIMD3(4, 4, 4), affine: .identity)
        for value: Float in [0, -5, .nan] {
            let error = withError {
                _ = try BrainExtractionTests.small()(Volume<Float>(grid: grid, repeating: value)) { input, _ in input }
            }
            #expect(error?.code == .blank)
        }
        let wrong = withError { _ = try BrainExtractionTests.small()(BrainExtractionTests.head()) { _, _ in [1, 2] } }
        #expect(wrong?.code == .mismatch)
        // NaN and infinity among good voxels count as 0.
        var spoilt = BrainExtractionTests.head()
        for v in stride(from: 0, to: spoilt.voxels.count, by: 97) { spoilt.voxels[v] = v % 2 == 0 ? .nan : .infinity }
        let input = try BrainExtractionTests.small().networkInput(spoilt).values
        #expect(input.allSatisfy { $0 >= 0 && $0 <= 1 })
        #expect(input.max() == 1)
    }
}
