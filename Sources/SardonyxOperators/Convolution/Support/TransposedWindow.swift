import SardonyxGraph

/// What a transposed convolution's attributes say about its outputs and padding.
struct TransposedWindow {
    let attributes: WindowAttributes
    let outputPadding: [Int]
    let outputShape: [Int]?

    init(_ node: Node, kernel: [Int]) throws(SardonyxError) {
        attributes = try WindowAttributes(node, kernel: kernel)
        let rank = kernel.count
        let padding = node.ints("output_padding") ?? []
        guard padding.isEmpty || padding.count == rank, padding.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
            throw SardonyxError(
                .invalidModel, "output_padding is \(padding); it must have \(rank) numbers that are 0 or more")
        }
        outputPadding = padding.isEmpty ? [Int](repeating: 0, count: rank) : padding
        let shape = node.ints("output_shape") ?? []
        // Some exporters list the batch and channels as well.
        guard shape.isEmpty || shape.count == rank || shape.count == rank + 2, shape.allSatisfy({ $0 >= 0 }) else {
            throw SardonyxError(.invalidModel, "output_shape is \(shape); it must have \(rank) extents")
        }
        outputShape = shape.isEmpty ? nil : Array(shape.suffix(rank))
    }

    /// The extent of the outputs without any padding.
    private func full(_ axis: Int, of input: Dimension) -> Dimension {
        (input * .fixed(attributes.strides[axis]))
            .shifted(by: attributes.reach(axis) + outputPadding[axis] - attributes.strides[axis])
    }

    func output(_ axis: Int, of input: Dimension) throws(SardonyxError) -> Dimension {
        if let outputShape { return .fixed(outputShape[axis]) }
        if attributes.autoPad.isSame { return input * .fixed(attributes.strides[axis]) }
        let padding = attributes.padBegin[axis] + attributes.padEnd[axis]
        if input == .fixed(0) { return .fixed(0) }
        let result = full(axis, of: input).shifted(by: -padding)
        if let extent = result.value, extent < 0 {
            throw SardonyxError(
                .invalidModel, "the padding along spatial axis \(axis) is \(padding), more than there are outputs")
        }
        return result
    }

    /// The window over concrete extents; its padding is what the outputs lose at the front.
    func window(input: [Int], output: [Int]) -> Window {
        var begin = attributes.padBegin
        if outputShape != nil || attributes.autoPad.isSame {
            for axis in input.indices {
                let total = max((full(axis, of: .fixed(input[axis])).value ?? 0) - output[axis], 0)
                begin[axis] = attributes.autoPad == .sameUpper ? total / 2 : total - total / 2
            }
        }
        return Window(
            input: input, output: output, kernel: attributes.kernel, strides: attributes.strides,
            dilations: attributes.dilations, padBegin: begin, padEnd: attributes.padEnd)
    }
}
