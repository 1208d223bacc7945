import SardonyxGraph

/// A convolution or transposed convolution with constant weights, as passes see it.
struct ConstantConvolution {
    let position: Int
    let node: Node
    let weights: Tensor
    /// Output channels.
    let channels: Int
    /// Axes of the output.
    let rank: Int

    /// The constant with one number for each output channel, when it varies along the channel axis alone, which is second
    /// from the front.
    func perChannel(_ constant: Tensor) -> Tensor? {
        let aligned = [Int](repeating: 1, count: max(0, rank - constant.shape.count)) + constant.shape
        guard aligned.count == rank, aligned[1] == channels, constant.count == channels else { return nil }
        return constant.reshaped(to: [channels])
    }

    /// The constant of one number, repeated for each output channel.
    func sameForAll(_ constant: Tensor) -> Tensor? {
        guard constant.count == 1, constant.shape.count <= rank else { return nil }
        let number = constant.scalars(Float.self)[0]
        return Tensor(shape: [channels], scalars: [Float](repeating: number, count: channels))
    }
}

extension Site {
    /// The convolution, still without an activation, whose result only this node reads.
    /// - Returns: nil where a value comes from elsewhere.
    /// - Throws: `Refusal` for a convolution that cannot be changed.
    func convolution(making id: ValueID?) throws(Refusal) -> ConstantConvolution? {
        guard let (position, node) = producer(of: id), node.domain.isEmpty,
            ["Conv", "ConvTranspose"].contains(node.operatorType), node.string("sardonyx.activation") == nil
        else { return nil }
        guard let middle = node.outputs[0], index.onlyConsumer(of: middle) == self.position else {
            throw Refusal("the convolution's output is read elsewhere too")
        }
        guard let weights = constant(node.inputs[1]), weights.dataType == .float,
            let rank = graph[middle].type.shape?.count, weights.shape.count == rank, rank >= 3
        else { throw Refusal("the convolution's weights or rank are not known") }
        let groups = node.int("group", default: 1)
        guard groups > 0, groups <= weights.count else { throw Refusal("the groups do not fit the weights") }
        let channels = node.operatorType == "Conv" ? weights.shape[0] : weights.shape[1] * groups
        return ConstantConvolution(position: position, node: node, weights: weights, channels: channels, rank: rank)
    }
}

/// Why a pass leaves a node as it is.
struct Refusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
