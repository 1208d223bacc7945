import SardonyxGraph

/// conv(x, w) + b, with one constant b for each output channel, becomes a convolution with that bias.
enum FuseConvolutionBias: Pass {
    static let name = "fuse bias"

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Add", node.domain.isEmpty, node.inputs.count == 2 else { return .none }
        for (index, other) in [(0, 1), (1, 0)] {
            guard let (position, convolution) = site.producer(of: node.inputs[index]), convolution.domain.isEmpty,
                ["Conv", "ConvTranspose"].contains(convolution.operatorType),
                convolution.string("sardonyx.activation") == nil,
                let bias = site.constant(node.inputs[other]), bias.dataType == .float
            else { continue }
            guard convolution.inputs.count < 3 || convolution.inputs[2] == nil else {
                return .refused("the convolution has a bias already")
            }
            guard let middle = convolution.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
                return .refused("the convolution's output is read elsewhere too")
            }
            guard let weights = site.constant(convolution.inputs[1]), let rank = site.graph[middle].type.shape?.count,
                weights.shape.count == rank, rank >= 3
            else { return .refused("the convolution's weights or rank are not known") }
            let groups = convolution.int("group", default: 1)
            guard groups > 0, groups <= weights.count else { return .refused("the groups do not fit the weights") }
            let channels = convolution.operatorType == "Conv" ? weights.shape[0] : weights.shape[1] * groups
            // The bias must vary along the channel axis alone, which is second from the front.
            let aligned = [Int](repeating: 1, count: max(0, rank - bias.shape.count)) + bias.shape
            guard aligned.count == rank, aligned[1] == channels, bias.count == channels else {
                return .refused("the added constant of shape \(bias.shape) is not one number a channel")
            }
            var patch = site.patch("add the bias in \(convolution.operatorType)", removing: [position, site.position])
            var fused = convolution
            fused.inputs = [
                convolution.inputs[0], convolution.inputs[1],
                patch.constant(bias.reshaped(to: [channels]), name: "\(convolution.displayName).bias"),
            ]
            fused.inputs += convolution.inputs.dropFirst(3)
            fused.outputs = [node.outputs[0]]
            patch.added = [fused]
            return .patch(patch)
        }
        return .none
    }
}
