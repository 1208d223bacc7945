import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// The grid that a run works on, against the imaging module's own.
struct WorkingGridTests {
    struct Row: Sendable {
        let dims: SIMD3<Int>
        let old: SIMD3<Double>, new: SIMD3<Double>
        var crop: VoxelBox?
        /// compute_new_shape(dims, old, new) of nnU-Net, where that hangs on the order of its sums.
        var nnunet: SIMD3<Int>?
    }

    static let rows = [
        Row(dims: SIMD3(20, 17, 13), old: SIMD3(1, 1.5, 2), new: SIMD3(1.4, 0.9, 2.1)),
        Row(
            dims: SIMD3(20, 17, 13), old: SIMD3(1, 1.5, 2), new: SIMD3(0.7, 1.5, 5),
            crop: VoxelBox(lower: SIMD3(3, 1, 2), upper: SIMD3(17, 16, 12))),
        // 0.3 / 0.4 · 50 is below 37.5, 50 · 0.3 / 0.4 is not.
        Row(
            dims: SIMD3(50, 162, 330), old: SIMD3(0.3, 0.3, 0.3), new: SIMD3(0.4, 0.4, 0.4),
            nnunet: SIMD3(37, 121, 247)),
        Row(dims: SIMD3(5, 7, 1), old: SIMD3(1, 1, 3), new: SIMD3(2, 2.0005, 1)),
    ]

    @Test(arguments: rows.indices, SpacingRule.allCases) func isTheRespacedGrid(
        _ index: Int, _ rule: SpacingRule
    ) throws {
        let row = WorkingGridTests.rows[index]
        let source = VoxelGrid(dims: row.dims, affine: Affine(spacing: row.old, origin: SIMD3(-9, 5, 30)))
        let crop = row.crop ?? source.box
        let kept = source.cropped(to: crop)
        let wanted = try kept.respaced(to: row.new, by: rule)
        if rule == .faces, let dims = row.nnunet { #expect(wanted.dims == dims) }
        let plan = try #require(ResamplingPlan(from: kept, onto: wanted, by: .linear))
        for stored in ["RAS", "LPS", "ILA"] {
            let turned = source.reoriented(to: try #require(Orientation(stored)))
            var input = Pipeline.Input(channels: [.init(name: "image")])
            // The network's axes are R, A, S; x, y, z of the run are A, R, S.
            input.axes = .anatomical(.ras)
            input.sampling = .spacing([row.new.x, row.new.y, row.new.z])
            input.alignment = rule
            let route = WorkingGrid.Route(input.axes, of: turned, isFlat: false)
            var box = crop
            for w in 0..<3 {
                let axis = route.networkAxis[w]
                (box.lower[w], box.upper[w]) = (crop.lower[axis], crop.upper[axis])
            }
            let grid = try WorkingGrid(
                input, output: .linear, source: turned, route: route, crop: box, zoom: [1, 1, 1])
            for w in 0..<3 {
                let (axis, expected) = (grid.forward[w], plan.axes[route.networkAxis[w]])
                #expect(axis.outputCount == expected.outputCount && axis.inputCount == expected.inputCount)
                #expect(abs(axis.scale - expected.scale) < 1e-9 && abs(axis.offset - expected.offset) < 1e-9)
                #expect(zip(axis.weights, expected.weights).allSatisfy { abs($0 - $1) < 1e-6 })
            }
        }
    }
}
