import SardonyxGraph

/// conv(x, w) + r, or a product with a constant matrix + r, with r of the result's own shape, is summed as the results are
/// stored.
enum FuseResidual: Pass {
    static let name = "fuse residual"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Add", node.domain.isEmpty, node.inputs.count == 2, let sum = node.outputs[0],
            let shape = site.graph[sum].type.shape
        else { return .none }
        var refusal: String?
        // Of two convolutions the later one takes the other's result.
        let candidates = [(0, 1), (1, 0)].compactMap { index, other in
            site.producer(of: node.inputs[index]).map { (position: $0.position, host: $0.node, residual: other) }
        }.sorted { $0.position > $1.position }
        for (position, host, other) in candidates
        where host.operatorType == "Conv" && host.domain.isEmpty || site.isLayer(host) {
            guard let middle = host.outputs[0], let residual = node.inputs[other],
                site.graph[middle].type.dataType == .float
            else { continue }
            guard site.index.onlyConsumer(of: middle) == site.position else {
                refusal = "the result is read elsewhere too"
                continue
            }
            guard host.string("sardonyx.activation") == nil else {
                refusal = "there is an activation between"
                continue
            }
            guard host.inputs.count < 4 else {
                refusal = "there is a residual already"
                continue
            }
            let shapes = [middle, residual].map { site.graph[$0].type.shape }
            guard shapes.allSatisfy({ $0 == shape }), !shape.contains(.unknown) else {
                refusal = "the shapes are not known to be the same"
                continue
            }
            guard site.constant(residual) == nil else { continue }
            var patch = site.patch("add in \(host.operatorType)", removing: [position, site.position])
            var fused = host
            while fused.inputs.count < 3 { fused.inputs.append(nil) }
            fused.inputs.append(residual)
            fused.outputs = [sum]
            patch.added = [fused]
            return .patch(patch)
        }
        return refusal.map(Rewrite.refused) ?? .none
    }
}
