import Testing

@testable import SardonyxImaging

/// Expected values of SciPy 1.17, scikit-image 0.26 and nnU-Net 2.8 on `random`'s numbers.
struct ResamplingTests {
    struct Line: Sendable, CustomTestStringConvertible {
        let from: Int, to: Int
        let method: Interpolation
        let antialias: Bool
        let values: [Double]
        init(_ from: Int, _ to: Int, _ method: Interpolation, antialias: Bool = false, _ values: [Double]) {
            (self.from, self.to, self.method, self.antialias, self.values) = (from, to, method, antialias, values)
        }
        var testDescription: String { "\(from) to \(to) \(method)\(antialias ? " antialias" : "")" }
    }

    /// resize(x, (to,), order=0 / 1 / 3, mode="edge", anti_aliasing=antialias, clip=False)
    static let lines: [Line] = [
        Line(1, 3, .cubic, [548, 548, 548]),
        Line(2, 5, .cubic, [573.039, 530.251, 427.5, 324.749, 281.961]),
        Line(3, 2, .cubic, [491.41, 361.532]),
        Line(3, 7, .cubic, [575.017, 518.8, 398.036, 307, 317.078, 376.498, 408.407]),
        Line(5, 5, .cubic, [548, 307, 393, 741, 68]),
        Line(5, 3, .cubic, [478.209, 393, 296.277]),
        Line(
            5, 13, .cubic,
            [
                571.658, 535.573, 443.759, 340.196, 275.321, 284.814, 393, 591.614, 743.215, 682.193, 403.272, 109.46,
                -11.04,
            ]),
        Line(40, 9, .cubic, [299.111, 317.07, 410.565, 651.422, 465.883, 338.476, 473.689, 773.081, 720.386]),
        Line(
            13, 31, .cubic,
            [
                570.906, 526.023, 420.906, 313.519, 264.863, 320.676, 514.154, 728.923, 713.742, 383.418, 87.368,
                178.557, 483.156, 578.077, 378.58, 260, 489.832, 773.578, 709.695, 367.886, 164.648, 294.507, 480.676,
                447.3, 293.005, 257.462, 407.686, 619.427, 785.893, 887.287, 923.217,
            ]),
        Line(
            40, 9, .linear, antialias: true,
            [448.711, 439.45, 531.328, 628.443, 646.593, 561.168, 462.313, 556.98, 500.238]),
        Line(13, 5, .linear, antialias: true, [415.092, 437.904, 454.083, 383.112, 640.407]),
        Line(5, 1, .linear, antialias: true, [401.003]),
        Line(2, 1, .linear, antialias: true, [427.5]),
        Line(
            9, 20, .linear, antialias: true,
            [
                548, 505.825, 397.375, 313.45, 352.15, 390.85, 540.9, 697.5, 522.275, 219.425, 185.45, 420.35, 548.75,
                400.25, 273.625, 518.875, 764.125, 569.875, 287.725, 178,
            ]),
        Line(3, 3, .linear, antialias: true, [548, 307, 393]),
        Line(
            40, 9, .cubic, antialias: true,
            [447.646, 440.278, 531.596, 628.109, 642.169, 561.585, 465.637, 558.901, 504.951]),
        Line(13, 5, .cubic, antialias: true, [409.259, 439.262, 454.083, 371.684, 649.099]),
        Line(5, 1, .cubic, antialias: true, [401.003]),
        Line(2, 1, .cubic, antialias: true, [427.5]),
        Line(
            9, 20, .cubic, antialias: true,
            [
                570.482, 516.579, 399.568, 293.399, 269.703, 381.777, 628.583, 765.266, 527.249, 149.421, 122.29,
                437.097, 586.522, 384.717, 263.828, 523.37, 794.509, 657.21, 291.036, 96.161,
            ]),
        Line(3, 3, .cubic, antialias: true, [548, 307, 393]),
        Line(
            40, 9, .nearest, antialias: true,
            [444.364, 438.93, 557.062, 625.146, 634.959, 557.375, 467.688, 569.614, 519.708]),
        Line(13, 5, .nearest, antialias: true, [396.448, 494.78, 454.083, 374.036, 595.094]),
        Line(5, 1, .nearest, antialias: true, [401.003]),
        Line(2, 1, .nearest, antialias: true, [332.718]),
        Line(
            9, 20, .nearest, antialias: true,
            [548, 548, 307, 307, 393, 393, 393, 741, 741, 68, 68, 590, 590, 260, 260, 260, 805, 805, 178, 178]),
        Line(3, 3, .nearest, antialias: true, [548, 307, 393]),
    ]

    @Test(arguments: lines)
    func lineEqualsScikitImage(_ row: Line) {
        let x = GeometryTests.random(SIMD3(row.from, 1, 1)).voxels
        // The same numbers along each axis give the same values.
        for axis in 0..<3 {
            var (source, target) = (SIMD3(1, 1, 1), SIMD3(1, 1, 1))
            source[axis] = row.from
            target[axis] = row.to
            let line = Volume<Float>(grid: VoxelGrid(dims: source, affine: .identity), voxels: x)
            let result = line.resized(to: target, by: row.method, antialias: row.antialias)
            #expect(isClose(result.voxels.map { Double($0) }, row.values, 2e-3), "axis \(axis)")
        }
    }

    /// Nearest is exact in integers, where halves and rounding meet too, and the general places give the same.
    @Test func nearestIsExact() {
        for n in 1...40 {
            for m in 1...55 {
                let axis = AxisResampling(from: n, to: m, by: .nearest)
                #expect(axis.isCopy && axis.first == (0..<m).map { (2 * $0 + 1) * n / (2 * m) }, "\(n) to \(m)")
                #expect(axis.isIdentity == (n == m))
            }
        }
    }

    @Test(arguments: Interpolation.allCases)
    func unchangedAxisIsLeftAlone(_ method: Interpolation) {
        #expect(AxisResampling(from: 9, to: 9, by: method, antialias: true).isIdentity)
        let plan = ResamplingPlan(from: SIMD3(5, 6, 7), to: SIMD3(5, 6, 7), by: method)
        #expect(plan.isIdentity && plan.scratchCount(for: 0..<7) == 0)
        // Every bit, a NaN's among them.
        var volume = GeometryTests.random(SIMD3(5, 6, 7))
        volume.voxels[3] = .nan
        volume.voxels[4] = -0.0
        let same = volume.resampled(by: plan)
        #expect(same.voxels.map(\.bitPattern) == volume.voxels.map(\.bitPattern))
    }

    /// Outputs that lie on inputs, among others that need neighbours: what a ring of `taps` inputs must hold only ascends.
    @Test(arguments: [(50, 38), (38, 50), (40, 20), (30, 45), (100, 75)], [Interpolation.linear, .cubic])
    func windowsAscend(_ counts: (Int, Int), _ method: Interpolation) {
        let (n, m) = counts
        for offset in [0, Double(n) / Double(m) / 2 - 0.5] {
            let axis = AxisResampling(from: n, to: m, scale: Double(n) / Double(m), offset: offset, by: method)
            #expect(zip(axis.first, axis.first.dropFirst()).allSatisfy { $0 <= $1 }, "\(axis.first)")
            for o in 0..<m {
                let sum = axis.weights[o * axis.taps..<(o + 1) * axis.taps].reduce(0, +)
                #expect(abs(sum - 1) < 1e-5 && axis.first[o] >= 0 && axis.first[o] + axis.taps <= n)
            }
        }
    }

    /// Beyond the outermost centres: the edge value, exactly from afar.
    @Test(arguments: Interpolation.allCases)
    func beyondTheEdge(_ method: Interpolation) {
        let axis = AxisResampling(from: 3, to: 4, scale: 1e6, offset: -2e6, by: method)
        let volume = Volume<Float>(grid: VoxelGrid(dims: SIMD3(3, 1, 1), affine: .identity), voxels: [5, 7, 11])
        let one = AxisResampling(from: 1, to: 1, by: method)
        #expect(volume.resampled(by: ResamplingPlan(axis, one, one)).voxels == [5, 5, 5, 11])
        #expect(axis.inputs(for: 2..<2) == 0..<0)
        let none = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
        var nothing: [Float] = [1]
        ResamplingPlan(one, one, axis).resample([5, 7], holding: 1..<3, onto: 2..<2, into: &nothing, scratch: none)
        #expect(nothing == [1])
    }

    static let slabCases: [(from: SIMD3<Int>, to: SIMD3<Int>)] = [
        (SIMD3(21, 18, 40), SIMD3(17, 31, 23)), (SIMD3(40, 17, 5), SIMD3(20, 9, 31)),
        (SIMD3(7, 5, 33), SIMD3(16, 16, 33)),
        (SIMD3(6, 3, 1), SIMD3(5, 5, 4)), (SIMD3(3, 2, 9), SIMD3(1, 1, 1)), (SIMD3(1, 1, 2), SIMD3(1, 1, 9)),
    ]

    /// A result does not depend on the cuts, nor on how much of the source is at hand.
    @Test(arguments: slabCases.indices, [1, 2, 5, 100])
    func slabsGiveTheSameBits(_ row: Int, _ height: Int) {
        let (from, to) = ResamplingTests.slabCases[row]
        let volume = GeometryTests.random(from)
        for (method, antialias) in [(Interpolation.nearest, false), (.linear, false), (.cubic, false), (.linear, true)]
        {
            let plan = ResamplingPlan(
                from: from, to: to, by: method, antialias: antialias, nearestAlong: row == 1 ? 2 : nil)
            let whole = volume.resampled(by: plan)
            var parts: [Float] = []
            for start in stride(from: 0, to: to.z, by: height) {
                let rows = start..<min(start + height, to.z)
                let needed = plan.inputs(for: rows)
                // One plane more than needed on each side where there is one.
                let held = (needed.lowerBound - start % 2..<needed.upperBound + 1).clamped(to: 0..<from.z)
                let block = Array(volume.voxels[held.lowerBound * from.x * from.y..<held.upperBound * from.x * from.y])
                var scratch = [Float](repeating: .nan, count: plan.scratchCount(for: rows))
                var part = [Float](repeating: .nan, count: to.x * to.y * rows.count)
                scratch.withUnsafeMutableBufferPointer {
                    plan.resample(block, holding: held, onto: rows, into: &part, scratch: $0)
                }
                parts += part
            }
            #expect(parts.map(\.bitPattern) == whole.voxels.map(\.bitPattern), "\(method)")
        }
    }

    struct NNUNet: Sendable, CustomTestStringConvertible {
        let dims: SIMD3<Int>
        let old: SIMD3<Double>, new: SIMD3<Double>
        let method: Interpolation
        let axis: Int?
        let target: SIMD3<Int>
        let first: [Double]
        /// Σ value · index over the result.
        let moment: Double
        var testDescription: String { "\(dims) \(old) to \(new) \(method)" }
    }

    /// compute_new_shape, determine_do_sep_z_and_axis(None, old, new) and resample_data_or_seg_to_shape(x, shape, old,
    /// new, order=1 or 3, order_z=0, force_separate_z=None)
    static let nnunet: [NNUNet] = [
        NNUNet(
            dims: SIMD3(9, 8, 4), old: SIMD3(1.0, 1.0, 5.0), new: SIMD3(1.5, 1.5, 5.0), method: .cubic, axis: 2,
            target: SIMD3(6, 5, 4), first: [458.682, 374.925, 682.308, 343.287, 488.027, 561.659, 694.627, 306.479],
            moment: 3414297.427),
        NNUNet(
            dims: SIMD3(9, 8, 4), old: SIMD3(1.0, 1.0, 5.0), new: SIMD3(0.8, 1.3, 3.0), method: .cubic, axis: 2,
            target: SIMD3(11, 6, 7), first: [549.17, 335.983, 288.064, 632.589, 680.031, 154.208, 443.003, 353.837],
            moment: 50624508.473),
        NNUNet(
            dims: SIMD3(9, 8, 4), old: SIMD3(1.0, 1.0, 5.0), new: SIMD3(0.8, 1.3, 3.0), method: .linear, axis: 2,
            target: SIMD3(11, 6, 7), first: [538.833, 362.833, 368.47, 551.864, 663.182, 190, 446.091, 387.076],
            moment: 50519234.758),
        NNUNet(
            dims: SIMD3(5, 9, 8), old: SIMD3(6.0, 1.0, 1.2), new: SIMD3(2.0, 1.0, 1.0), method: .cubic, axis: 0,
            target: SIMD3(15, 9, 10),
            first: [
                516.133, 516.133, 516.133, 322.979, 322.979, 322.979, 362.857,
                362.857,
            ], moment: 455254201.574),
        NNUNet(
            dims: SIMD3(8, 5, 9), old: SIMD3(1.0, 4.0, 1.0), new: SIMD3(1.0, 1.5, 0.7), method: .cubic, axis: 1,
            target: SIMD3(8, 13, 13), first: [517.785, 316.677, 355.035, 803.796, 12.289, 566.097, 292.731, 792.886],
            moment: 459863094.185),
        NNUNet(
            dims: SIMD3(6, 7, 5), old: SIMD3(1.0, 1.0, 2.0), new: SIMD3(1.3, 0.7, 1.0), method: .cubic, axis: nil,
            target: SIMD3(5, 10, 10), first: [517.474, 265.594, 636.34, 239.687, 504.92, 330.518, 494.078, 477.672],
            moment: 63735365.618),
        NNUNet(
            dims: SIMD3(6, 7, 5), old: SIMD3(1.0, 1.0, 2.0), new: SIMD3(1.3, 0.7, 1.0), method: .linear,
            axis:
                nil, target: SIMD3(5, 10, 10), first: [523.9, 332.8, 567, 269.9, 537.8, 408.73, 489.055, 439.675],
            moment: 63873404.142),
        NNUNet(
            dims: SIMD3(6, 7, 5), old: SIMD3(4.0, 1.0, 4.0), new: SIMD3(1.3, 0.7, 1.0), method: .cubic, axis: nil,
            target: SIMD3(18, 10, 20), first: [547.299, 526.941, 467.509, 387.13, 311.498, 266.247, 276.77, 368.398],
            moment: 3299710628.217),
    ]

    @Test(arguments: nnunet)
    func equalsNNUNet(_ row: NNUNet) throws {
        let volume = GeometryTests.random(row.dims, Affine(spacing: row.old))
        let axis = Anisotropy.separateAxis(from: row.old, to: row.new)
        #expect(axis == row.axis)
        let grid = try volume.grid.respaced(to: row.new, by: .faces)
        #expect(grid.dims == row.target)
        let plan = ResamplingPlan(from: row.dims, to: grid.dims, by: row.method, nearestAlong: axis)
        let limits = ValueLimits(volume, along: axis)
        let result = volume.resampled(by: plan, within: limits)
        #expect(result.grid.isAligned(with: grid, tolerance: 1e-9))
        expect(result.voxels, row.first, row.moment)

        // Slabs are held to the same limits.
        var collected = ValueLimits(dims: row.dims, along: axis)
        volume.voxels.withUnsafeBufferPointer {
            for k in (0..<row.dims.z).reversed() {
                let plane = $0.baseAddress! + k * row.dims.x * row.dims.y
                collected.add(plane, dims: SIMD3(row.dims.x, row.dims.y, 1), at: SIMD3(0, 0, k))
            }
        }
        #expect(collected == limits)
        var free = volume.resampled(by: plan).voxels
        let plane = row.target.x * row.target.y
        free.withUnsafeMutableBufferPointer {
            for k in 0..<row.target.z { limits.apply(to: $0.baseAddress! + k * plane, rows: k..<k + 1, of: plan) }
        }
        #expect(free == result.voxels)
    }

    @Test func limitsPassOverNaN() {
        let grid = VoxelGrid(dims: SIMD3(2, 1, 2), affine: .identity)
        let volume = Volume<Float>(grid: grid, voxels: [.nan, 3, .nan, .nan])
        #expect(ValueLimits(volume).ranges == [3...3])
        #expect(ValueLimits(volume, along: 2).ranges == [3...3, nil])
        #expect(ValueLimits(volume, along: 0).ranges == [nil, 3...3])
    }

    /// determine_do_sep_z_and_axis(None, old, new)
    @Test func separateAxis() {
        let rows: [(old: SIMD3<Double>, new: SIMD3<Double>, axis: Int?)] = [
            (SIMD3(1, 1, 3), SIMD3(1, 1, 1), nil), (SIMD3(1, 1, 3.01), SIMD3(1, 1, 1), 2),
            (SIMD3(1, 1, 1), SIMD3(0.2, 1, 1), nil), (SIMD3(1, 1, 1), SIMD3(1, 4, 1), 1),
            (SIMD3(5, 1, 1), SIMD3(1, 4, 1), 0), (SIMD3(5, 5, 1), SIMD3(1, 4, 1), nil),
            (SIMD3(5, 4.9, 1), SIMD3(1, 1, 1), 0),
        ]
        for row in rows { #expect(Anisotropy.separateAxis(from: row.old, to: row.new) == row.axis, "\(row)") }
    }

    @Test func labelsKeepTheirType() {
        let grid = VoxelGrid(dims: SIMD3(3, 2, 2), affine: .identity)
        let labels = Volume<Int16>(grid: grid, voxels: [-7, 2, 300, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(labels.resizedNearest(to: SIMD3(2, 1, 1)).voxels == [11 - 1, 12])
        #expect(labels.resizedNearest(to: SIMD3(6, 2, 2)).voxels.prefix(6) == [-7, -7, 2, 2, 300, 300])
    }
}

/// The first values to 1e-5 of their range (0 to 999), and all of them to 1e-6 on the whole, by their moment.
func expect(
    _ voxels: [Float], _ first: [Double], _ moment: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
    let values = voxels.map { Double($0) }
    #expect(isClose(Array(values.prefix(first.count)), first, 1e-2), sourceLocation: sourceLocation)
    let found = values.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
    let indices = Double(values.count * (values.count - 1) / 2)
    #expect(abs(found - moment) <= 1e-3 * indices, "moment \(found)", sourceLocation: sourceLocation)
}
