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
        let routes = addresses.map { SliceRoute($0, placed) }
        var values = routes.map { route in
            [[Float]](repeating: [Float](repeating: 0, count: route.width * route.height), count: channels)
        }
        var sample: [Float] = []
        if let runs, samples == 0 {
            try runs { k, runs in
                for (place, route) in routes.enumerated() { route.fill(&values[place][0], from: runs, k) }
            }
        } else {
            let lattice = lattice(samples)
            sample = [Float](repeating: 0, count: channels * lattice.counts.x * lattice.counts.y * lattice.counts.z)
            var sampled = 0
            func rows(_ slices: Range<Int>) -> Range<Int> {
                routes.reduce(lattice.rows(of: slices)) { $0.joined(with: $1.rows(of: slices)) }
            }
            try eachSlab(rows) { slab, channel in
                for (place, route) in routes.enumerated() { route.fill(&values[place][channel], from: slab) }
                sample.withUnsafeMutableBufferPointer { lattice.append(slab, to: $0, &sampled) }
            }
        }
        let slices = zip(routes, values).map { route, channels in
            channels.map { Slice(width: route.width, height: route.height, step: route.step, values: $0) }
        }
        return (slices, sample)
    }

    /// Reads the wanted slabs along k, some ten thousand voxels or a slice each, channel by channel.
    ///
    /// - Parameter rows: the rows that are wanted of some slices; none leaves them out. Others may be read too.
    func eachSlab(
        _ rows: (_ slices: Range<Int>) -> Range<Int>, _ body: (_ slab: VoxelSlab, _ channel: Int) throws -> Void
    ) throws {
        let plane = grid.dims.x * grid.dims.y
        let thickness = min(grid.dims.z, max(1, 65536 / plane))
        let stored = file?.file.slabBytes(thickness)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: stored ?? 4 * plane * thickness, alignment: 64)
        defer { buffer.deallocate() }
        for low in stride(from: 0, to: grid.dims.z, by: thickness) {
            let slices = low..<min(low + thickness, grid.dims.z)
            let wanted = rows(slices)
            if wanted.isEmpty { continue }
            for channel in 0..<channels {
                if let (file, frame) = file, stored != nil {
                    try body(file.slab(slices, rows: wanted, frame: frame, component: channel, in: buffer), channel)
                } else {
                    let values = buffer.bindMemory(to: Float.self)
                    let part = UnsafeMutableBufferPointer(rebasing: values[..<(plane * slices.count)])
                    part.initialize(repeating: 0)
                    try read(VoxelBox(slices: slices, of: grid.dims), channel, part)
                    try body(VoxelSlab(part.baseAddress!, slices: slices, dims: grid.dims), channel)
                }
            }
        }
    }

    /// A lattice of at most `count` voxels, evenly spread in RAS order.
    private func lattice(_ count: Int) -> VoxelLattice {
        guard count > 0 else { return VoxelLattice() }
        let dims = upright.dims
        var lattice = VoxelLattice()
        func places(_ axis: Int) -> Int { max(1, dims[axis] / lattice.step) }
        while places(0) * places(1) * places(2) > count { lattice.step += 1 }
        for (axis, source) in placed.route(to: .ras).enumerated() {
            let first = min(dims[axis] - 1, lattice.step / 2)
            lattice.counts[source.axis] = places(axis)
            lattice.first[source.axis] =
                source.isReversed ? dims[axis] - 1 - first - lattice.step * (places(axis) - 1) : first
        }
        return lattice
    }
}

extension Range where Bound == Int {
    /// The smallest range around both.
    fileprivate func joined(with other: Range) -> Range {
        if isEmpty || other.isEmpty { return isEmpty ? other : self }
        return Swift.min(lowerBound, other.lowerBound)..<Swift.max(upperBound, other.upperBound)
    }
}
