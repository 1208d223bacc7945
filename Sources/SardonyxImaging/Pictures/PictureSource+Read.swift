/// A slice that is wanted: its plane, and its place along the axis through it in RAS order.
struct SliceAddress: Equatable {
    let plane: SlicePlane
    let index: Int
}

extension PictureSource {
    /// Components that are drawn.
    var channels: Int { components >= 3 ? 3 : 1 }

    /// Slices turned as pictures show them, one for each channel, and values from a lattice over the whole image that
    /// does not depend on how the voxels are stored; one pass over the parts that are needed.
    func slices(
        _ addresses: [SliceAddress], samples: Int = 0
    ) throws -> (slices: [[Slice]], sample: [Float]) {
        let routes = addresses.map { Route($0, placed) }
        var values = routes.map { route in
            [[Float]](repeating: [Float](repeating: 0, count: route.width * route.height), count: channels)
        }
        let lattice = self.lattice(samples)
        var sample: [Float] = []
        let whole = [0..<grid.dims.x, 0..<grid.dims.y, 0..<grid.dims.z]
        func isWanted(_ slab: Range<Int>) -> Bool {
            lattice[2].contains(where: slab.contains)
                || routes.contains { $0.ranges(whole, slab).allSatisfy { !$0.isEmpty } }
        }
        try eachSlab(where: isWanted) { slab, channel, box in
            // SAFETY: i and j run over the whole grid, k over the slab, of which `box` holds every voxel.
            let (nx, ny) = (grid.dims.x, grid.dims.y)
            for (place, route) in routes.enumerated() {
                let ranges = route.ranges(whole, slab)
                for k in ranges[2] {
                    for j in ranges[1] {
                        let row = nx * (j + ny * (k - slab.lowerBound))
                        let target = route.start + j * route.steps[1] + k * route.steps[2]
                        for i in ranges[0] { values[place][channel][target + i * route.steps[0]] = box[row + i] }
                    }
                }
            }
            for k in lattice[2] where slab.contains(k) {
                for j in lattice[1] {
                    for i in lattice[0] { sample.append(box[i + nx * (j + ny * (k - slab.lowerBound))]) }
                }
            }
        }
        let slices = zip(routes, values).map { route, channels in
            channels.map { Slice(width: route.width, height: route.height, step: route.step, values: $0) }
        }
        return (slices, sample)
    }

    /// Reads the wanted slabs along k, some ten thousand voxels or a slice each, channel by channel.
    func eachSlab(
        where isWanted: (Range<Int>) -> Bool = { _ in true },
        _ body: (_ slab: Range<Int>, _ channel: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        let plane = grid.dims.x * grid.dims.y
        let thickness = min(grid.dims.z, max(1, 65536 / plane))
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: plane * thickness)
        buffer.initialize(repeating: 0)
        defer { buffer.deallocate() }
        for low in stride(from: 0, to: grid.dims.z, by: thickness) {
            let slab = low..<min(low + thickness, grid.dims.z)
            guard isWanted(slab) else { continue }
            let box = UnsafeMutableBufferPointer(rebasing: buffer[0..<(plane * slab.count)])
            for channel in 0..<channels {
                try read(VoxelBox(slices: slab, of: grid.dims), channel, box)
                try body(slab, channel, box)
            }
        }
    }

    /// Stored indices along i, j, k of at most `count` voxels, evenly spread in RAS order.
    private func lattice(_ count: Int) -> [[Int]] {
        guard count > 0 else { return [[], [], []] }
        let dims = upright.dims
        var step = 1
        func places(_ axis: Int) -> Int { max(1, dims[axis] / step) }
        while places(0) * places(1) * places(2) > count { step += 1 }
        var result = [[Int]](repeating: [], count: 3)
        for (axis, source) in placed.route(to: .ras).enumerated() {
            let places = (0..<places(axis)).map { min(dims[axis] - 1, $0 * step + step / 2) }
            result[source.axis] = source.isReversed ? places.map { dims[axis] - 1 - $0 }.sorted() : places
        }
        return result
    }
}

/// From stored indices to a slice's values: `start` plus `steps` times the indices.
private struct Route {
    let width: Int
    let height: Int
    let step: (across: Double, down: Double)
    private(set) var start = 0
    private(set) var steps = [0, 0, 0]
    private let through: (axis: Int, index: Int)

    init(_ address: SliceAddress, _ grid: VoxelGrid) {
        let route = grid.route(to: .ras)
        let axes = address.plane.axes
        let (across, down, through) = (route[axes.across], route[axes.down], route[axes.through])
        width = grid.dims[across.axis]
        height = grid.dims[down.axis]
        step = (grid.spacing[across.axis], grid.spacing[down.axis])
        self.through = (
            through.axis, through.isReversed ? grid.dims[through.axis] - 1 - address.index : address.index
        )
        // Pictures run against the RAS axes.
        for (source, size, stride) in [(across, width, 1), (down, height, width)] {
            steps[source.axis] = source.isReversed ? stride : -stride
            if !source.isReversed { start += (size - 1) * stride }
        }
    }

    /// The stored indices that the slice needs of a slab.
    func ranges(_ whole: [Range<Int>], _ slab: Range<Int>) -> [Range<Int>] {
        var ranges = [whole[0], whole[1], slab]
        ranges[through.axis] = ranges[through.axis].clamped(to: through.index..<(through.index + 1))
        return ranges
    }
}
