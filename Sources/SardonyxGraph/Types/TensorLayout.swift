/// How a tensor's elements lie in memory between two kernels. Callers and files only ever see `plain` tensors.
package enum TensorLayout: Sendable, Hashable {
    /// Row-major, the last axis innermost, as ONNX describes tensors.
    case plain
    /// [n, c / 8, spatial …, 8]: blocks of eight channels are innermost, so that a vector holds channels of one pixel.
    /// The bytes are as many as of the plain form, because only channel counts that 8 divides are laid out so.
    case channelBlocks

    /// The channels in a block.
    package static let blockSize = 8
}

extension TensorSpec {
    /// Whether the tensor can have its channels in blocks: float maps of one to three spatial axes.
    package var canBlockChannels: Bool {
        dataType == .float && (3...5).contains(shape.count) && shape[1] % TensorLayout.blockSize == 0
    }

    package func with(_ layout: TensorLayout) -> TensorSpec {
        var spec = self
        spec.layout = layout
        return spec
    }

    /// The extents in memory, outermost first.
    package var storedShape: [Int] {
        switch layout {
        case .plain: shape
        case .channelBlocks:
            [shape[0], shape[1] / TensorLayout.blockSize] + shape.dropFirst(2) + [TensorLayout.blockSize]
        }
    }
}

/// A combination of layouts that an operator has a kernel for.
package struct LayoutOffer: Sendable, Hashable {
    /// Of each input of the node; what is said of an omitted or constant one does not matter, constants stay plain.
    package var inputs: [TensorLayout]
    package var outputs: [TensorLayout]
    /// Whether the kernel gains more by it than moving its inputs costs.
    package var isPreferred: Bool

    package init(inputs: [TensorLayout], outputs: [TensorLayout], isPreferred: Bool = false) {
        self.inputs = inputs
        self.outputs = outputs
        self.isPreferred = isPreferred
    }
}
