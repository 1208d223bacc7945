import SardonyxGraph

/// y = scale · (conv(x, w) + b − mean) / √(var + ε) + bias becomes conv(x, w′) + b′, where the parameters are constants.
enum FoldBatchNormalization: Pass {
    static let name = "fold batch normalisation"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "BatchNormalization", node.domain.isEmpty, !node.flag("training_mode"),
            node.outputs.first != .some(nil), node.outputs.dropFirst().allSatisfy({ $0 == nil }),
            let (position, convolution) = site.producer(of: node.inputs[0]), convolution.domain.isEmpty,
            ["Conv", "ConvTranspose"].contains(convolution.operatorType)
        else { return .none }
        guard let middle = convolution.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
            return .refused("the convolution's output is read elsewhere too")
        }
        guard convolution.string("sardonyx.activation") == nil else { return .none }
        // A residual is added after the convolution: it would have to be scaled too.
        guard convolution.inputs.count < 4 else { return .refused("the convolution adds a residual") }
        let parameters = node.inputs[1...4].map { site.constant($0) }
        guard let weights = site.constant(convolution.inputs[1]), weights.dataType == .float,
            parameters.allSatisfy({ $0?.dataType == .float })
        else { return .refused("the weights and parameters are not all float constants") }
        let biasID = convolution.inputs.count > 2 ? convolution.inputs[2] : nil
        if biasID != nil && site.constant(biasID)?.dataType != .float { return .refused("the bias is no constant") }

        let values = parameters.map { $0!.scalars(Float.self).map(Double.init) }
        let (scale, shift, mean, variance) = (values[0], values[1], values[2], values[3])
        let epsilon = Double(node.float("epsilon", default: 1e-5))
        let channels = scale.count
        let isTransposed = convolution.operatorType == "ConvTranspose"
        let groups = convolution.int("group", default: 1)
        guard values.allSatisfy({ $0.count == channels }), weights.shape.count >= 2,
            groups > 0, groups <= channels,
            (isTransposed ? weights.shape[1] * groups : weights.shape[0]) == channels
        else { return .refused("the shapes of weights and parameters differ") }
        let factors = zip(scale, variance).map { $0 / ($1 + epsilon).squareRoot() }
        let bias =
            site.constant(biasID)?.scalars(Float.self).map(Double.init) ?? [Double](repeating: 0, count: channels)
        guard bias.count == channels else { return .refused("the bias has another length than the channels") }

        let scaled = scaledWeights(weights, of: convolution, by: factors)
        let shifted = (0..<channels).map { Float((bias[$0] - mean[$0]) * factors[$0] + shift[$0]) }

        var patch = site.patch("fold into \(convolution.operatorType)", removing: [position, site.position])
        var fused = convolution
        fused.inputs = [
            convolution.inputs[0],
            patch.constant(scaled, name: "\(convolution.displayName).weights"),
            patch.constant(Tensor(shape: [channels], scalars: shifted), name: "\(convolution.displayName).bias"),
        ]
        fused.outputs = [node.outputs[0]]
        // An activation that was fused into the normalisation comes along.
        for (name, value) in node.attributes where name.hasPrefix("sardonyx.") { fused.attributes[name] = value }
        patch.added = [fused]
        return .patch(patch)
    }

    /// A convolution's weights with each output channel's multiplied by its factor; there is one for each.
    static func scaledWeights(_ weights: Tensor, of convolution: Node, by factors: [Double]) -> Tensor {
        var scaled = weights.scalars(Float.self)
        if convolution.operatorType == "ConvTranspose" {
            let groups = convolution.int("group", default: 1)
            let kernel = weights.shape.dropFirst(2).reduce(1, *)
            let perGroup = weights.shape[1]
            let inputsPerGroup = weights.shape[0] / groups
            for i in 0..<weights.shape[0] {
                for o in 0..<perGroup {
                    let factor = factors[min(i / max(inputsPerGroup, 1), groups - 1) * perGroup + o]
                    let start = (i * perGroup + o) * kernel
                    for k in start..<start + kernel { scaled[k] = Float(Double(scaled[k]) * factor) }
                }
            }
        } else {
            let row = weights.shape.dropFirst().reduce(1, *)
            for (o, factor) in factors.enumerated() {
                for k in o * row..<(o + 1) * row { scaled[k] = Float(Double(scaled[k]) * factor) }
            }
        }
        return Tensor(shape: weights.shape, scalars: scaled)
    }
}
