import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// Where a run's values land.
struct RunGeometryTests {
    /// A network that refines its grid gives a ramp of millimetres where that ramp is, however the image is stored and
    /// whatever axes and spacing the network has.
    @Test(arguments: ["RAS", "LPI", "SAL", "PIR"], ["RAS", "PSL", "ILA"]) func refined(_ stored: String, _ axes: String)
        throws
    {
        for sampling in [Pipeline.Sampling.source, .spacing([1.4, 0.9, 2.1]), .size([9, nil, 17])] {
            for alignment in [SpacingRule.faces, .centres] {
                let origin = SIMD3<Double>(-3, 4, 5)
                let affine = Affine(spacing: SIMD3(1, 1.5, 2), origin: origin)
                func value(_ place: SIMD3<Double>) -> Float { Float(place.x + 10 * place.y + 100 * place.z) }
                var pipeline = Pipeline.test(task: .reconstruction)
                pipeline.input.axes = .anatomical(try #require(Orientation(axes)))
                pipeline.input.sampling = sampling
                pipeline.input.alignment = alignment
                let zoom = [2, 1, 3]
                let network = ShapedNetwork {
                    [$0[0], 1] + zip($0.dropFirst(2), zoom).map { $0 * $1 }
                } values: {
                    refine($0, $1, zoom)
                }
                let ramp = Volume(VoxelGrid(dims: SIMD3(10, 11, 12), affine: affine), value)
                let image = ramp.reoriented(to: try #require(Orientation(stored)))
                let (grid, values) = try run(image, pipeline, network, [nil, 1, nil, nil, nil])
                var worst: Float = 0
                for k in 0..<grid.dims.z {
                    for j in 0..<grid.dims.y {
                        for i in 0..<grid.dims.x {
                            let place = grid.affine(SIMD3(Double(i), Double(j), Double(k)))
                            let index = (place - origin) / SIMD3(1, 1.5, 2)
                            // Beside the borders edge values are held.
                            guard all(index .>= 2), all(index .<= SIMD3(7, 8, 9)) else { continue }
                            worst = max(worst, abs(values[i + grid.dims.x * (j + grid.dims.y * k)] - value(place)))
                        }
                    }
                }
                #expect(worst < 2e-3, "\(sampling) \(alignment)")
            }
        }
    }

    /// Splines with more weights than the image has slices, both ways, as of the whole volume.
    @Test(arguments: [Interpolation.nearest, .linear, .cubic], [SIMD3(9, 20, 5), SIMD3(31, 9, 3), SIMD3(20, 17, 1)])
    func thereAndBack(_ method: Interpolation, _ dims: SIMD3<Int>) throws {
        let image = StudyRunTests.image().cropped(to: VoxelBox(lower: .zero, upper: SIMD3(20, 17, 4)))
        var pipeline = Pipeline.test(task: .reconstruction)
        pipeline.input.axes = .stored([2, 1, 0])
        pipeline.input.sampling = .size([dims.z, dims.y, dims.x])
        pipeline.input.interpolation = method
        pipeline.output.interpolation = method
        let network = ShapedNetwork {
            $0
        } values: { values, _ in
            values
        }
        let (_, found) = try run(image, pipeline, network, [nil, 1, nil, nil, nil])
        let wanted = image.resized(to: dims, by: method).resized(to: image.dims, by: method).voxels
        #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// The axis that is apart is only picked from, whatever else is smoothed, and its slices keep their ranges. Values of
    /// skimage.transform.resize(slice, (26, 12), order=3, mode="edge", anti_aliasing=True), clip=False without ranges,
    /// of slices (2 n + 1) · 13 // 12.
    @Test(arguments: [true, false]) func apartIsNotSmoothed(_ keepsRange: Bool) throws {
        let part = StudyRunTests.image().cropped(to: VoxelBox(lower: .zero, upper: SIMD3(18, 16, 13)))
        let image = Volume<Float>(
            grid: VoxelGrid(dims: part.dims, affine: Affine(spacing: SIMD3(1, 1.5, 5))),
            voxels: part.voxels.map { max($0, 1) })
        var pipeline = Pipeline.test(task: .reconstruction)
        pipeline.input.axes = .stored([2, 1, 0])
        pipeline.input.sampling = .spacing([10, 2, 0.7])
        pipeline.input.interpolation = .cubic
        pipeline.input.antialias = true
        pipeline.input.separateAnisotropicAxis = true
        pipeline.input.keepsRange = keepsRange
        var input: [Float] = []
        let network = ShapedNetwork {
            $0
        } values: { values, _ in
            input = values
            return values
        }
        _ = try run(image, pipeline, network, [nil, 1, nil, nil, nil])
        let (low, lower): (Float, Float) = keepsRange ? (1, 1) : (0.787243, 0.826717)
        let wanted = [1.13686, 2.12981, 1.80352, 1.45649, low, 1.49463, 1.52977, lower, 2.19885]
        #expect(input.count == 26 * 12 * 6)
        for (n, value) in wanted.enumerated() { #expect(abs(input[211 * n] - value) < 2e-5) }
    }

    /// Neighbours beyond the ends are the end slices, in images with fewer slices than a tile sees too.
    @Test(arguments: [1, 3, 7]) func neighbours(_ slices: Int) throws {
        var image = Volume<Float>(
            grid: VoxelGrid(dims: SIMD3(3, 2, slices), affine: Affine(spacing: SIMD3(1, 1, 1))))
        for k in 0..<slices { for j in 0..<2 { for i in 0..<3 { image[i, j, k] = Float(k + 1) } } }
        var pipeline = Pipeline.test(task: .reconstruction)
        pipeline.input.axes = .stored([2, 1, 0])
        pipeline.tiling = Pipeline.Tiling(scheme: .monai, size: [2, 2], overlap: 0.5, neighbours: 2)
        let network = ShapedNetwork {
            [$0[0], 1] + $0.dropFirst(2)
        } values: { values, shape in
            (0..<shape[0] * 4).map { (voxel: Int) -> Float in
                var sum: Float = 0
                for slice in 0..<5 { sum = sum * 10 + values[(voxel / 4 * 5 + slice) * 4 + voxel % 4] }
                return sum
            }
        }
        let (_, found) = try run(image, pipeline, network, [nil, 5, nil, nil])
        for k in 0..<slices {
            var wanted: Float = 0
            for slice in k - 2...k + 2 { wanted = wanted * 10 + Float(min(max(slice, 0), slices - 1) + 1) }
            for value in found[k * 6..<(k + 1) * 6] { #expect(abs(value - wanted) < 1e-2) }
        }
    }

    private func run(
        _ image: Volume<Float>, _ pipeline: Pipeline, _ network: any Network, _ fixedShape: [Int?]
    ) throws -> (VoxelGrid, [Float]) {
        let folder = TemporaryFolder()
        let run = try studyRun([image], pipeline, network, fixedShape: fixedShape, in: folder)
        let spill = try #require(try run { _ in }.values.first)
        #expect(run.resultGrid.dims == spill.dims)
        return (run.resultGrid, try spill.all())
    }
}

/// Linear between the centres of a [1, 1, d, h, w] input and on beyond them, `zoom` times as fine.
private func refine(_ input: [Float], _ shape: [Int], _ zoom: [Int]) -> [Float] {
    var values = input
    var sizes = Array(shape.dropFirst(2))
    for axis in 0..<3 {
        let (count, inner) = (sizes[axis], sizes[(axis + 1)...].reduce(1, *))
        let outer = sizes[..<axis].reduce(1, *)
        var fine: [Float] = []
        for block in 0..<outer {
            for index in 0..<count * zoom[axis] {
                let place = (Double(index) + 0.5) / Double(zoom[axis]) - 0.5
                let low = min(max(Int(place.rounded(.down)), 0), count - 2)
                let share = Float(place - Double(low))
                for n in 0..<inner {
                    let (a, b) = (
                        values[(block * count + low) * inner + n], values[(block * count + low + 1) * inner + n]
                    )
                    fine.append(a + (b - a) * share)
                }
            }
        }
        values = fine
        sizes[axis] *= zoom[axis]
    }
    return values
}
