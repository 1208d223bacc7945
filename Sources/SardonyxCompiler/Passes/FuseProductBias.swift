import SardonyxGraph

/// a · w + b, with a constant matrix w and one constant b for each of its columns, becomes a product with that bias.
enum FuseProductBias: Pass {
    static let name = "fuse bias of a product"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Add", node.domain.isEmpty, node.inputs.count == 2 else { return .none }
        for (index, other) in [(0, 1), (1, 0)] {
            guard let (position, product) = site.producer(of: node.inputs[index]), site.isLayer(product),
                product.isPlainProduct, let bias = site.constant(node.inputs[other]), bias.dataType == .float,
                let columns = site.constant(product.inputs[1])?.shape.last
            else { continue }
            guard let middle = product.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
                return .refused("the product is read elsewhere too")
            }
            guard bias.count == columns, bias.shape.last == columns, let rank = site.graph[middle].type.shape?.count,
                bias.shape.count <= rank
            else { return .refused("the added constant of shape \(bias.shape) is not one number a column") }
            var patch = site.patch("add the bias in MatMul", removing: [position, site.position])
            var fused = product
            fused.inputs.append(patch.constant(bias.reshaped(to: [columns]), name: "\(product.displayName).bias"))
            fused.outputs = [node.outputs[0]]
            patch.added = [fused]
            return .patch(patch)
        }
        return .none
    }
}

extension Node {
    /// Whether the node is a product and nothing else: no bias, residual or activation has joined it.
    var isPlainProduct: Bool {
        operatorType == "MatMul" && domain.isEmpty && inputs.count == 2 && string("sardonyx.activation") == nil
    }
}

extension Site {
    /// Whether a node is a product of rows with one constant matrix, which takes a bias, a residual and an activation.
    func isLayer(_ node: Node) -> Bool {
        guard node.operatorType == "MatMul", node.domain.isEmpty, let weights = constant(node.inputs[1]),
            weights.dataType == .float, weights.shape.count == 2, let a = node.inputs[0],
            let rank = graph[a].type.shape?.count
        else { return false }
        return rank >= 2
    }
}
