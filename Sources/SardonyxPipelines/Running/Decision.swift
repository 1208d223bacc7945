#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Pipeline.Output.Activation {
    /// Applies the function to values [channel][voxel] where they are.
    func apply(_ values: UnsafeMutableBufferPointer<Float>, channels: Int) {
        switch self {
        case .none: return
        case .sigmoid:
            for index in values.indices { values[index] = 1 / (1 + expf(-values[index])) }
        case .softmax:
            let count = values.count / max(channels, 1)
            for voxel in 0..<count {
                var most = -Float.infinity
                for channel in 0..<channels { most = max(most, values[channel * count + voxel]) }
                var sum: Float = 0
                for channel in 0..<channels {
                    let value = expf(values[channel * count + voxel] - most)
                    values[channel * count + voxel] = value
                    sum += value
                }
                for channel in 0..<channels { values[channel * count + voxel] /= sum }
            }
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
