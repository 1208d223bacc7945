import SardonyxGraph

/// conv(x, w) · s, with one constant s for each output channel or one for all, becomes a convolution with weights
/// w · s and bias b · s.
enum FoldChannelScale: Pass {
    static let name = "fold scale"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Mul", node.domain.isEmpty, node.inputs.count == 2 else { return .none }
        for (index, other) in [(0, 1), (1, 0)] {
            guard let scale = site.constant(node.inputs[other]), scale.dataType == .float else { continue }
            do {
                guard let convolution = try site.convolution(making: node.inputs[index]) else { continue }
                return .patch(try patch(site, convolution, scale))
            } catch {
                return .refused(error.reason)
            }
        }
        return .none
    }

    private static func patch(
        _ site: Site, _ convolution: ConstantConvolution, _ scale: Tensor
    ) throws(Refusal) -> Patch {
        var fused = convolution.node
        let channels = convolution.channels
        guard fused.inputs.count < 4 else { throw Refusal("the convolution adds a residual") }
        let biasID = fused.inputs.count > 2 ? fused.inputs[2] : nil
        let bias = site.constant(biasID)
        guard biasID == nil || bias?.dataType == .float && bias?.count == channels else {
            throw Refusal("the bias is no constant with a number for each channel")
        }
        guard scale.shape.count <= convolution.rank, scale.count == 1 || convolution.perChannel(scale) != nil else {
            throw Refusal("the constant factor of shape \(scale.shape) is not one number a channel")
        }
        let values = scale.scalars(Float.self).map(Double.init)
        guard values.allSatisfy(\.isFinite) else { throw Refusal("a factor is not finite") }
        let factors = values.count == channels ? values : [Double](repeating: values[0], count: channels)
        var patch = site.patch("scale \(fused.operatorType)", removing: [convolution.position, site.position])
        let scaled = FoldBatchNormalization.scaledWeights(convolution.weights, of: fused, by: factors)
        fused.inputs = [fused.inputs[0], patch.constant(scaled, name: "\(fused.displayName).weights")]
        if let bias {
            let shifts = zip(bias.scalars(Float.self), factors).map { Float(Double($0) * $1) }
            fused.inputs.append(
                patch.constant(Tensor(shape: [channels], scalars: shifts), name: "\(fused.displayName).bias"))
        }
        fused.outputs = [site.node.outputs[0]]
        patch.added = [fused]
        return patch
    }
}
