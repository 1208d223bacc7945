import SardonyxExecution
import SardonyxImaging

/// The order in which the run walks through a volume: its slices along z, rows along y, voxels along x.
///
/// The network has spatial axes of its own order, the file another; z is the axis of slices (towards the head or the feet
/// where the pipeline's axes are anatomical, the file's slowest where they are as stored), so that a slab of slices is all
/// that is ever in memory, and so that the order of sums does not depend on how the file is stored.
struct WorkingGrid: Sendable, Equatable {
    /// For x, y, z: the source's axis, and whether it runs against the source's index.
    let sourceAxis: [Int]
    let isReversed: [Bool]
    /// For x, y, z: the network's spatial axis (0 slowest).
    let networkAxis: [Int]
    /// Voxels of the source along x, y, z.
    private(set) var sourceDims: SIMD3<Int>
    /// What is read of them, in working indices.
    private(set) var crop: VoxelBox
    /// What of them gets results; the same but for a window.
    private(set) var result: VoxelBox
    /// Voxels of the network's grid along x, y, z.
    let dims: SIMD3<Int>
    /// Which of x, y, z is resampled by nearest neighbours apart from the others on the way to the network's grid.
    let separateAxis: Int?
    /// From the crop to the network's grid, along x, y, z.
    let forward: [AxisResampling]
    /// From the network's grid (times `zoom`) back to the results (times `zoom`).
    let backward: [AxisResampling]
    /// Voxels that the network gives for one of its input's, along x, y, z: 1 but for super-resolution.
    let zoom: SIMD3<Int>

    /// How source axes map to the network's, before anything is known of sizes.
    struct Route: Sendable, Equatable {
        let sourceAxis: [Int]
        let isReversed: [Bool]
        let networkAxis: [Int]

        /// - Parameters:
        ///   - axes: of three spatial axes; a 2D network's slices are the first of them.
        ///   - isFlat: the network sees single slices, so that slices run along its first axis.
        init(_ axes: Pipeline.Axes, of source: VoxelGrid, isFlat: Bool) {
            // For each of the network's axes, where it comes from.
            let origin: [(axis: Int, isReversed: Bool)]
            var slow: Int
            switch axes {
            case .anatomical(let orientation):
                origin = source.route(to: orientation)
                slow = orientation.directions.firstIndex { $0.axis == 2 } ?? 0
            case .stored(let order):
                let missing = [0, 1, 2].filter { !order.contains($0) }
                origin = (missing + order).map { ($0, false) }
                slow = origin.firstIndex { $0.axis == 2 } ?? 0
            }
            if isFlat { slow = 0 }
            let others = [0, 1, 2].filter { $0 != slow }
            networkAxis = [others[1], others[0], slow]
            sourceAxis = networkAxis.map { origin[$0].axis }
            isReversed = networkAxis.map { origin[$0].isReversed }
        }
    }

    /// - Parameters:
    ///   - crop: in working indices of the source.
    ///   - window: what is kept of the network's grid over that crop, x, y, z; the rest counts as 0 on the way back.
    ///   - zoom: along the network's axes.
    /// - Throws: `ImagingError` `.tooLarge` when the network's grid is larger than anything can hold.
    init(
        _ input: Pipeline.Input, output: Interpolation, source: VoxelGrid, route: Route, crop: VoxelBox,
        window: VoxelBox? = nil, zoom: [Int]
    ) throws {
        sourceAxis = route.sourceAxis
        isReversed = route.isReversed
        networkAxis = route.networkAxis
        self.crop = crop
        result = crop
        var scales = SIMD3<Double>(1, 1, 1)
        var dims = SIMD3<Int>(1, 1, 1)
        var sourceDims = SIMD3<Int>(1, 1, 1)
        var zooms = SIMD3<Int>(1, 1, 1)
        var forward: [AxisResampling] = []
        var backward: [AxisResampling] = []
        let spacing = source.spacing
        // nnU-Net asks the grid that it comes from first, so that the ways there and back may differ.
        separateAxis = WorkingGrid.separateAxis(input, spacing, route, isBack: false)
        let separateBack = WorkingGrid.separateAxis(input, spacing, route, isBack: true)
        let isTilted = try WorkingGrid.isTilted(input, source, route, crop)
        for w in 0..<3 {
            let n = crop.upper[w] - crop.lower[w]
            let network = route.networkAxis[w]
            zooms[w] = zoom[network]
            sourceDims[w] = source.dims[route.sourceAxis[w]]
            let old = spacing[route.sourceAxis[w]]
            // Voxel o of the network's axis lies at scale · o + offset of the crop's.
            var m = n
            var isExact = false
            switch input.sampling {
            case .source: break
            case .size(let size): m = size[network] ?? n
            case .spacing(let wanted):
                // As MONAI: a hair's difference is none.
                if let new = wanted[network], input.alignment == .faces || abs(new - old) > 1e-3 {
                    m = try WorkingGrid.count(n, old, new, input.alignment)
                    isExact = input.alignment == .centres
                    if isExact { scales[w] = new / old }
                }
            }
            if !isExact { scales[w] = Double(n) / Double(m) }
            let most = Double(max(n, m, sourceDims[w])) * Double(zooms[w])
            guard most <= Double(WorkingGrid.mostAlong), (1e-9...1e9).contains(scales[w]) else {
                throw ImagingError(
                    .tooLarge,
                    problem: "an axis of \(n) voxels of \(old) mm would become one of \(m) voxels"
                        + (zooms[w] > 1 ? ", \(zooms[w]) times finer" : ""),
                    remedy: "check the image's spacing and the pipeline's")
            }
            let scale = scales[w]
            // By centres the first voxels coincide; MONAI lays a tilted grid so that half its extent, in voxels, does.
            let offset = !isExact ? (scale - 1) / 2 : isTilted ? (Double(n) - scale * Double(m)) / 2 : 0
            dims[w] = m
            forward.append(
                AxisResampling(
                    from: n, to: m, scale: scale, offset: offset,
                    by: w == separateAxis ? .nearest : input.interpolation,
                    antialias: input.antialias && w != separateAxis))
            // A refined voxel's centre lies half of its width inside the coarse one's face.
            let z = Double(zooms[w])
            backward.append(
                AxisResampling(
                    from: m * zooms[w], to: n * zooms[w], scale: 1 / scale,
                    offset: -offset / scale * z + (z - 1) / 2 * (1 - 1 / scale),
                    by: w == separateBack ? .nearest : output))
        }
        if let window {
            for w in 0..<3 {
                let kept = window.lower[w]..<window.upper[w]
                let read = forward[w].inputs(for: kept)
                forward[w] = AxisResampling(forward[w], window: read, rows: kept)
                self.crop.lower[w] = crop.lower[w] + read.lowerBound
                self.crop.upper[w] = crop.lower[w] + read.upperBound
                let z = zooms[w]
                let fine = kept.lowerBound * z..<kept.upperBound * z
                // Whole voxels of the source; where none is touched, the first, which is 0 then.
                let touched = backward[w].outputs(of: fine)
                let rows = touched.lowerBound / z..<max(1, (touched.upperBound + z - 1) / z)
                backward[w] = AxisResampling(
                    backward[w], window: fine, rows: rows.lowerBound * z..<rows.upperBound * z)
                result.lower[w] = crop.lower[w] + rows.lowerBound
                result.upper[w] = crop.lower[w] + rows.upperBound
                dims[w] = kept.count
            }
        }
        // No axis is longer than 2^20, so that these do not overflow.
        guard
            [dims &* zooms, sourceDims &* zooms].allSatisfy({
                $0.x * $0.y <= WorkingGrid.mostInPlane && $0.x * $0.y * $0.z <= WorkingGrid.mostVoxels
            })
        else {
            throw ImagingError(
                .tooLarge, problem: "the network's grid would have \(dims.x)×\(dims.y)×\(dims.z) voxels",
                remedy: "check the image's spacing and the pipeline's")
        }
        self.dims = dims
        self.sourceDims = sourceDims
        self.zoom = zooms
        self.forward = forward
        self.backward = backward
    }

    /// Bounds that keep counts of bytes from overflowing.
    private static let (mostAlong, mostInPlane, mostVoxels) = (1 << 20, 1 << 32, 1 << 40)

    /// The axis that is resampled by nearest neighbours apart from the others, where the pipeline asks for that.
    private static func separateAxis(
        _ input: Pipeline.Input, _ spacing: SIMD3<Double>, _ route: Route, isBack: Bool
    ) -> Int? {
        guard input.separateAnisotropicAxis, case .spacing(let wanted) = input.sampling else { return nil }
        var old = SIMD3<Double>(1, 1, 1)
        for w in 0..<3 { old[w] = spacing[route.sourceAxis[w]] }
        var new = old
        for w in 0..<3 { new[w] = wanted[route.networkAxis[w]] ?? old[w] }
        return isBack ? Anisotropy.separateAxis(from: new, to: old) : Anisotropy.separateAxis(from: old, to: new)
    }

    /// Whether the new grid by centres has no corner in common with the old one, as `VoxelGrid.respaced` finds.
    private static func isTilted(
        _ input: Pipeline.Input, _ source: VoxelGrid, _ route: Route, _ crop: VoxelBox
    ) throws -> Bool {
        guard input.alignment == .centres, case .spacing(let wanted) = input.sampling else { return false }
        // The crop's grid in the network's order, on whose axes and directions it hangs.
        var columns = [SIMD3<Double>](repeating: .zero, count: 3)
        var (first, dims, new) = (SIMD3<Double>.zero, SIMD3<Int>.one, SIMD3<Double>.zero)
        for w in 0..<3 {
            let (axis, n) = (route.sourceAxis[w], route.networkAxis[w])
            columns[n] = source.affine.column(axis) * (route.isReversed[w] ? -1 : 1)
            first[axis] = Double(route.isReversed[w] ? source.dims[axis] - 1 - crop.lower[w] : crop.lower[w])
            dims[n] = crop.size[w]
            new[n] = wanted[n] ?? 0
        }
        let old = VoxelGrid(
            dims: dims,
            affine: Affine(columns: columns[0], columns[1], columns[2], origin: source.affine(first)))
        let origin = try old.respaced(to: new, by: .centres).affine(.zero)
        let last = SIMD3<Double>(old.dims) - 1
        return !(0..<8).contains { corner in
            let place = SIMD3(
                corner & 1 == 0 ? 0 : last.x, corner & 2 == 0 ? 0 : last.y, corner & 4 == 0 ? 0 : last.z)
            let step = old.affine(place) - origin
            return (step * step).sum().squareRoot() < 1e-6 * old.spacing.min()
        }
    }

    /// Voxels along an axis of another spacing.
    private static func count(_ n: Int, _ old: Double, _ new: Double, _ alignment: SpacingRule) throws -> Int {
        let length =
            switch alignment {
            // In the order of nnU-Net: another may round a half the other way.
            case .faces: (old / new * Double(n)).rounded(.toNearestOrEven)
            case .centres: (Double(n - 1) * old / new + 1).rounded(.toNearestOrEven)
            }
        guard length.isFinite, length < 1e6 else {
            throw ImagingError(
                .tooLarge, problem: "\(n) voxels of \(old) mm would become \(length) of \(new) mm",
                remedy: "check the image's spacing and the pipeline's")
        }
        return max(1, Int(length))
    }

    /// Whether results need no resampling.
    var isCopiedBack: Bool { backward.allSatisfy(\.isCopy) }

    /// The grid whose source has `zoom` voxels for each of this one's.
    func refined() -> WorkingGrid {
        var result = self
        result.sourceDims &*= zoom
        result.crop.lower &*= zoom
        result.crop.upper &*= zoom
        result.result.lower &*= zoom
        result.result.upper &*= zoom
        return result
    }

    /// The box of the source that working box `box` stands for.
    func sourceBox(_ box: VoxelBox) -> VoxelBox {
        var result = box
        for w in 0..<3 {
            let axis = sourceAxis[w]
            result.lower[axis] = isReversed[w] ? sourceDims[w] - box.upper[w] : box.lower[w]
            result.upper[axis] = isReversed[w] ? sourceDims[w] - box.lower[w] : box.upper[w]
        }
        return result
    }

    /// Whether the run's slices are the source's.
    var goesBySourceSlices: Bool { sourceAxis[2] == 2 }

    /// Voxels of the source along its own axes.
    var storedDims: SIMD3<Int> { sourceBox(VoxelBox(dims: sourceDims)).upper }

    /// Whether the source's order is the working order.
    var isInOrder: Bool { sourceAxis == [0, 1, 2] && !isReversed.contains(true) }

    /// Copies a block between the source's order (i fastest) and the working order (x fastest), both tight. `size`: of the
    /// working block. SAFETY: the caller gives as many elements as `size` counts in both.
    func permute<Scalar: BitwiseCopyable>(
        _ from: UnsafePointer<Scalar>, _ to: UnsafeMutablePointer<Scalar>, size: SIMD3<Int>, toWorking: Bool,
        _ pool: WorkerPool
    ) {
        var sourceSize = SIMD3<Int>(1, 1, 1)
        for w in 0..<3 { sourceSize[sourceAxis[w]] = size[w] }
        let strides = [1, sourceSize.x, sourceSize.x * sourceSize.y]
        var start = 0
        var step = SIMD3<Int>(0, 0, 0)
        for w in 0..<3 {
            let stride = strides[sourceAxis[w]]
            step[w] = isReversed[w] ? -stride : stride
            if isReversed[w] { start += stride * (size[w] - 1) }
        }
        let plain = SIMD3(1, size.x, size.x * size.y)
        if toWorking {
            Strided.copy(from + start, step, to, plain, size, pool)
        } else {
            Strided.copy(from, plain, to + start, step, size, pool)
        }
    }
}
