import SardonyxGraph

/// An elementwise activation after a convolution, matrix product or normalisation is computed on its results as they are
/// stored.
enum FuseActivation: Pass {
    static let name = "fuse activation"
    static let keepsRounding = true

    /// Operators whose kernels take any activation, and those whose kernels take a few.
    private static let hosts: Set<String> = ["Conv", "ConvTranspose", "Gemm"]
    private static let normalizations: Set<String> = [
        "BatchNormalization", "GroupNormalization", "InstanceNormalization",
    ]

    private static func takes(_ host: Node, _ function: String, _ site: Site) -> Bool {
        guard host.domain.isEmpty else { return false }
        if hosts.contains(host.operatorType) || site.isLayer(host) { return true }
        return normalizations.contains(host.operatorType) && ["Relu", "LeakyRelu"].contains(function)
            && host.outputs.dropFirst().allSatisfy { $0 == nil }
    }

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.domain.isEmpty, let activation = activation(of: node, site),
            let (position, host) = site.producer(of: node.inputs[0]), takes(host, activation.function, site)
        else { return .none }
        guard let middle = host.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
            return .refused("the result before the activation is read elsewhere too")
        }
        guard host.string("sardonyx.activation") == nil else { return .refused("there is an activation already") }
        guard site.graph[middle].type.dataType == .float else { return .refused("the type is not float") }
        var patch = site.patch("\(node.operatorType) in \(host.operatorType)", removing: [position, site.position])
        var fused = host
        fused.outputs = [node.outputs[0]]
        fused.attributes["sardonyx.activation"] = .string(activation.function)
        if let alpha = activation.alpha { fused.attributes["sardonyx.alpha"] = .float(alpha) }
        if let beta = activation.beta { fused.attributes["sardonyx.beta"] = .float(beta) }
        patch.added = [fused]
        return .patch(patch)
    }

    /// The parameters of an activation that kernels know; nil for other operators.
    private static func activation(
        of node: Node, _ site: Site
    ) -> (function: String, alpha: Float?, beta: Float?)? {
        let name = node.operatorType
        switch name {
        case "Relu", "Sigmoid", "Tanh", "HardSwish": return (name, nil, nil)
        case "Gelu": return (node.string("approximate") == "tanh" ? "GeluTanh" : name, nil, nil)
        case "LeakyRelu": return (name, node.float("alpha", default: 0.01), nil)
        case "HardSigmoid": return (name, node.float("alpha", default: 0.2), node.float("beta", default: 0.5))
        case "PRelu":
            // One slope for all is a leaky ReLU.
            guard let slope = site.constant(node.inputs[1]), slope.dataType == .float, slope.count == 1,
                let output = node.outputs[0], let rank = site.graph[output].type.shape?.count, slope.shape.count <= rank
            else { return nil }
            return ("LeakyRelu", slope.scalars(Float.self)[0], nil)
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
            return (name, low, high)
        default: return nil
        }
    }
}
