import SardonyxGraph

/// conv(x, w) · s, with one constant s for each output channel or one for all, becomes a convolution with weights
/// w · s and bias b · s.
enum FoldChannelScale: Pass {
    static let name = "fold scale"

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Mul", node.domain.isEmpty, node.inputs.count == 2 else { return .none }
        for (index, other) in [(0, 1), (1, 0)] {
            guard let (position, convolution) = site.producer(of: node.inputs[index]), convolution.domain.isEmpty,
                ["Conv", "ConvTranspose"].contains(convolution.operatorType),
                convolution.string("sardonyx.activation") == nil,
                let scale = site.constant(node.inputs[other]), scale.dataType == .float
            else { continue }
            guard let middle = convolution.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
                return .refused("the convolution's output is read elsewhere too")
            }
            guard convolution.inputs.count < 4 else { return .refused("the convolution adds a residual") }
            guard let weights = site.constant(convolution.inputs[1]), weights.dataType == .float,
                let rank = site.graph[middle].type.shape?.count, weights.shape.count == rank, rank >= 3
            else { return .refused("the convolution's weights or rank are not known") }
            let biasID = convolution.inputs.count > 2 ? convolution.inputs[2] : nil
            let bias = site.constant(biasID)
            guard biasID == nil || bias?.dataType == .float else { return .refused("the bias is no constant") }
            let groups = convolution.int("group", default: 1)
            guard groups > 0, groups <= weights.count else { return .refused("the groups do not fit the weights") }
            let channels = convolution.operatorType == "Conv" ? weights.shape[0] : weights.shape[1] * groups
            guard bias == nil || bias?.count == channels else {
                return .refused("the bias has another length than the channels")
            }
            // The factors may vary along the channel axis alone, which is second from the front.
            let aligned = [Int](repeating: 1, count: max(0, rank - scale.shape.count)) + scale.shape
            guard aligned.count == rank, scale.count == 1 || scale.count == channels && aligned[1] == channels else {
                return .refused("the constant factor of shape \(scale.shape) is not one number a channel")
            }
            let values = scale.scalars(Float.self).map(Double.init)
            guard values.allSatisfy(\.isFinite) else { return .refused("a factor is not finite") }
            let factors = values.count == channels ? values : [Double](repeating: values[0], count: channels)
            var patch = site.patch("scale \(convolution.operatorType)", removing: [position, site.position])
            var fused = convolution
            let scaled = FoldBatchNormalization.scaledWeights(weights, of: convolution, by: factors)
            fused.inputs = [
                convolution.inputs[0], patch.constant(scaled, name: "\(convolution.displayName).weights"),
            ]
            if let bias {
                let shifts = zip(bias.scalars(Float.self), factors).map { Float(Double($0) * $1) }
                fused.inputs.append(
                    patch.constant(
                        Tensor(shape: [channels], scalars: shifts), name: "\(convolution.displayName).bias"))
            }
            fused.outputs = [node.outputs[0]]
            patch.added = [fused]
            return .patch(patch)
        }
        return .none
    }
}
