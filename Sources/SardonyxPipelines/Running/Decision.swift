import CKernels
import SardonyxExecution

extension Pipeline.Output.Activation {
    /// Applies the function to values [channel][voxel] where they are.
    func apply(_ values: UnsafeMutableBufferPointer<Float>, channels: Int, _ pool: WorkerPool) {
        guard let base = values.baseAddress, channels > 0 else { return }
        // SAFETY: both kernels may work in place; the slices of all channels are `values`.
        switch self {
        case .none: return
        case .sigmoid: sdx_unary_f32(pool.pointer, SDX_UNARY_SIGMOID, base, base, Int64(values.count), 0, 0)
        case .softmax: sdx_softmax_f32(pool.pointer, base, base, 1, Int64(channels), Int64(values.count / channels))
        }
    }
}

extension Pipeline.Output {
    /// What stands in a channel after the activation where nothing was run, as outside the crop: no class but the
    /// background, which is channel 0 wherever channels exclude each other.
    func outside(_ channel: Int) -> Float {
        switch (activation, decision) {
        // Well below the bound: weights that resample it add up to a hair more or less than 1.
        case (_, .threshold(let bound)): min(2 * Float(bound), 0)
        case (_, .argmax), (.softmax, .values): channel == 0 ? 1 : 0
        case (_, .values): 0
        }
    }

    /// The same before the activation.
    func background(_ channel: Int) -> Float {
        let value = outside(channel)
        // e^−100 is nothing, and resampling spreads no infinity.
        switch activation {
        case .none: return value
        case .sigmoid: return value > 0 ? 100 : -100
        case .softmax: return value > 0 ? 0 : -100
        }
    }
}

extension Pipeline.Output.Decision {
    /// The label of each voxel of values [channel][voxel]. `values` decides nothing: all are 0.
    ///
    /// - Parameter table: the label for each channel.
    func labels(
        _ values: UnsafeBufferPointer<Float>, channels: Int, table: [UInt16],
        into labels: UnsafeMutableBufferPointer<UInt16>, _ pool: WorkerPool
    ) {
        let (count, size) = (labels.count, 1 << 14)
        let (from, to) = (Shared(values.baseAddress!), Shared(labels.baseAddress!))
        pool.forEach((count + size - 1) / size) { [self] chunk in
            // SAFETY: each number has voxels of its own.
            let first = chunk * size
            part(from.base + first, count, channels, table, to.base + first, min(size, count - first))
        }
    }

    /// The labels of `size` voxels whose channels lie `stride` values apart.
    private func part(
        _ values: UnsafePointer<Float>, _ stride: Int, _ channels: Int, _ table: [UInt16],
        _ labels: UnsafeMutablePointer<UInt16>, _ size: Int
    ) {
        switch self {
        case .values: labels.update(repeating: 0, count: size)
        case .threshold(let threshold):
            let bound = Float(threshold)
            let first = table[0]
            for voxel in 0..<size { labels[voxel] = values[voxel] > bound ? first : 0 }
            for channel in 1..<max(channels, 1) {
                let (label, values) = (table[channel], values + channel * stride)
                for voxel in 0..<size { labels[voxel] = values[voxel] > bound ? label : labels[voxel] }
            }
        case .argmax:
            withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { best in
                labels.update(repeating: table[0], count: size)
                best.baseAddress!.update(from: values, count: size)
                for channel in 1..<max(channels, 1) {
                    let label = table[channel]
                    for voxel in 0..<size {
                        let value = values[channel * stride + voxel]
                        let wins = value > best[voxel]
                        best[voxel] = wins ? value : best[voxel]
                        labels[voxel] = wins ? label : labels[voxel]
                    }
                }
            }
        }
    }
}
