import SardonyxGraph

/// An elementwise activation after a convolution or matrix product is computed on its results as they are stored.
enum FuseActivation: Pass {
    static let name = "fuse activation"

    /// Operators whose kernels take an activation.
    private static let hosts: Set<String> = ["Conv", "ConvTranspose", "Gemm"]

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.domain.isEmpty, let activation = activation(of: node, site),
            let (position, host) = site.producer(of: node.inputs[0]), host.domain.isEmpty,
            hosts.contains(host.operatorType)
        else { return .none }
        guard let middle = host.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
            return .refused("the result before the activation is read elsewhere too")
        }
        guard host.string("sardonyx.activation") == nil else { return .refused("there is an activation already") }
        guard site.graph[middle].type.dataType == .float else { return .refused("the type is not float") }
        var patch = site.patch("\(node.operatorType) in \(host.operatorType)", removing: [position, site.position])
        var fused = host
        fused.outputs = [node.outputs[0]]
        fused.attributes["sardonyx.activation"] = .string(node.operatorType)
        if let alpha = activation.alpha { fused.attributes["sardonyx.alpha"] = .float(alpha) }
        if let beta = activation.beta { fused.attributes["sardonyx.beta"] = .float(beta) }
        patch.added = [fused]
        return .patch(patch)
    }

    /// The parameters of an activation that kernels know; nil for other operators.
    private static func activation(of node: Node, _ site: Site) -> (alpha: Float?, beta: Float?)? {
        switch node.operatorType {
        case "Relu", "Sigmoid", "Tanh", "HardSwish": return (nil, nil)
        case "LeakyRelu": return (node.float("alpha", default: 0.01), nil)
        case "HardSigmoid": return (node.float("alpha", default: 0.2), node.float("beta", default: 0.5))
        case "Clip":
            func bound(_ index: Int, _ absent: Float) -> Float? {
                guard index < node.inputs.count, node.inputs[index] != nil else { return absent }
                guard let tensor = site.constant(node.inputs[index]), tensor.dataType == .float, tensor.count == 1
                else {
                    return nil
                }
                return tensor.scalars(Float.self)[0]
            }
            guard let low = bound(1, -.infinity), let high = bound(2, .infinity), low <= high else { return nil }
            return (low, high)
        default: return nil
        }
    }
}
