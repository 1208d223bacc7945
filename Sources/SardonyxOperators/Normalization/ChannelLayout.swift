import SardonyxGraph

/// A tensor as [batch, channels, inner]: what is before and after the channel axis, merged.
struct ChannelLayout: Sendable {
    let batch: Int64
    let channels: Int64
    let inner: Int64

    /// A tensor of one axis has one channel.
    init(_ shape: [Int]) {
        batch = Int64(shape.first ?? 1)
        channels = Int64(shape.count > 1 ? shape[1] : 1)
        inner = Int64(shape.dropFirst(2).reduce(1, *))
    }

    /// Calls `body` with the offset of each element of a channel.
    @inline(__always)
    func forEach(_ channel: Int, _ body: (Int) -> Void) {
        for image in 0..<Int(batch) {
            let start = (image * Int(channels) + channel) * Int(inner)
            for offset in start..<start + Int(inner) { body(offset) }
        }
    }
}

extension Frame {
    /// An element of a floating-point input whose type is known only at run time.
    func double(_ input: Int, _ type: DataType, _ index: Int) -> Double {
        switch type {
        case .float: Double(self.input(input, as: Float.self)[index])
        case .double: self.input(input, as: Double.self)[index]
        case .float16: Double(self.input(input, as: Float16.self)[index])
        default: Double(self.input(input, as: BFloat16.self)[index].floatValue)
        }
    }

    /// Stores an element of a floating-point output whose type is known only at run time.
    func store(_ value: Double, _ output: Int, _ type: DataType, _ index: Int) {
        switch type {
        case .float: self.output(output, as: Float.self)[index] = Float(value)
        case .double: self.output(output, as: Double.self)[index] = value
        case .float16: self.output(output, as: Float16.self)[index] = Float16(value)
        default: self.output(output, as: BFloat16.self)[index] = BFloat16(Float(value))
        }
    }
}
