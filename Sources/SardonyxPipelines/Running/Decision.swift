import CKernels
import SardonyxExecution

extension Pipeline.Output.Activation {
    /// Applies the function to values [channel][voxel] where they are.
    func apply(_ values: UnsafeMutableBufferPointer<Float>, channels: Int) {
        guard let base = values.baseAddress, channels > 0 else { return }
        let pool = WorkerPool.shared.pointer
        // SAFETY: both kernels may work in place; the slices of all channels are `values`.
        switch self {
        case .none: return
        case .sigmoid: sdx_unary_f32(pool, SDX_UNARY_SIGMOID, base, base, Int64(values.count), 0, 0)
        case .softmax: sdx_softmax_f32(pool, base, base, 1, Int64(channels), Int64(values.count / channels))
        }
    }
}

extension Pipeline.Output {
    /// What stands in a channel of the model's output where nothing is: no class but the background.
    func background(_ channel: Int) -> Float {
        switch (activation, decision) {
        // e^−100 is nothing, and resampling spreads no infinity.
        case (.sigmoid, _): -100
        case (.softmax, .argmax): channel == 0 ? 0 : -100
        case (_, .threshold(let bound)): min(Float(bound), 0)
        default: 0
        }
    }
}

extension Pipeline.Output.Decision {
    /// The label of each voxel of values [channel][voxel]. `values` decides nothing: all are 0.
    ///
    /// - Parameter table: the label for each channel.
    func labels(
        _ values: UnsafeBufferPointer<Float>, channels: Int, table: [UInt16], best: UnsafeMutableBufferPointer<Float>,
        into labels: UnsafeMutableBufferPointer<UInt16>
    ) {
        let count = labels.count
        labels.update(repeating: 0)
        switch self {
        case .values: return
        case .threshold(let threshold):
            let bound = Float(threshold)
            for channel in 0..<channels {
                let label = table[channel]
                for voxel in 0..<count where values[channel * count + voxel] > bound { labels[voxel] = label }
            }
        case .argmax:
            labels.update(repeating: table[0])
            _ = best.update(fromContentsOf: values[..<count])
            for channel in 1..<max(channels, 1) {
                let label = table[channel]
                for voxel in 0..<count {
                    let value = values[channel * count + voxel]
                    let wins = value > best[voxel]
                    best[voxel] = wins ? value : best[voxel]
                    labels[voxel] = wins ? label : labels[voxel]
                }
            }
        }
    }
}
