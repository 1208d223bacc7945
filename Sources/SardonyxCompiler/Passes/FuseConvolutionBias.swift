import SardonyxGraph

/// conv(x, w) + b, with one constant b for each output channel, becomes a convolution with that bias.
enum FuseConvolutionBias: Pass {
    static let name = "fuse bias"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Add", node.domain.isEmpty, node.inputs.count == 2 else { return .none }
        for (index, other) in [(0, 1), (1, 0)] {
            guard let bias = site.constant(node.inputs[other]), bias.dataType == .float else { continue }
            do {
                guard let convolution = try site.convolution(making: node.inputs[index]) else { continue }
                return .patch(try patch(site, convolution, bias))
            } catch {
                return .refused(error.reason)
            }
        }
        return .none
    }

    private static func patch(
        _ site: Site, _ convolution: ConstantConvolution, _ bias: Tensor
    ) throws(Refusal) -> Patch {
        var fused = convolution.node
        guard let added = convolution.perChannel(bias) ?? convolution.sameForAll(bias) else {
            throw Refusal("the added constant of shape \(bias.shape) is not one number a channel")
        }
        var bias = added
        if fused.inputs.count > 2, let known = fused.inputs[2] {
            guard let known = site.constant(known), known.dataType == .float, known.count == convolution.channels else {
                throw Refusal("the convolution has a bias that is not known")
            }
            let sums = zip(known.scalars(Float.self), bias.scalars(Float.self)).map(+)
            guard sums.allSatisfy(\.isFinite) else { throw Refusal("the sum of the two biases is not finite") }
            bias = Tensor(shape: [convolution.channels], scalars: sums)
        }
        var patch = site.patch(
            "add the bias in \(fused.operatorType)", removing: [convolution.position, site.position])
        let residual = fused.inputs.dropFirst(3)
        fused.inputs = [fused.inputs[0], fused.inputs[1], patch.constant(bias, name: "\(fused.displayName).bias")]
        fused.inputs += residual
        fused.outputs = [site.node.outputs[0]]
        patch.added = [fused]
        return patch
    }
}
