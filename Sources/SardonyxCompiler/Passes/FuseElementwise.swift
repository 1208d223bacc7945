import SardonyxGraph
import SardonyxOperators

/// An elementwise node and the elementwise node whose result only it reads become one, step by step whole chains: their
/// values between the steps stay in the cache.
///
/// The last pass, on graphs with concrete shapes: the others look for the single nodes.
enum FuseElementwise: Pass {
    static let name = "fuse elementwise"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard let output = node.outputs[0], let shape = shape(of: output, site), let chain = chain(node, site),
            shape.count <= FusedElementwise.maximumRank
        else { return .none }
        var isTooLong = false
        for operand in chain.operands {
            guard let (position, maker) = site.producer(of: operand), self.shape(of: operand, site) == shape,
                let source = self.chain(maker, site)
            else { continue }
            guard !site.index.isOutput[Int(operand.index)],
                site.index.consumers(of: operand).allSatisfy({ $0 == site.position })
            else { continue }
            // What is computed later keeps its operands until then: no more of them than the result takes.
            let kept = source.operands.reduce(0) { sum, id in
                site.constant(id) == nil ? sum + (self.shape(of: id, site)?.elementCount ?? 0) : sum
            }
            guard kept <= shape.elementCount || position + 1 == site.position else { continue }
            guard let whole = chain.with(source, making: operand) else {
                isTooLong = true
                continue
            }
            var patch = site.patch(
                "\(maker.operatorType) in one walk with \(node.operatorType)", removing: [position, site.position])
            patch.added = [whole.node(for: node)]
            return .patch(patch)
        }
        return isTooLong ? .refused("the chain would have too many steps or operands") : .none
    }

    private static func chain(_ node: Node, _ site: Site) -> ElementwiseChain? {
        guard node.outputs.count == 1, let chain = ElementwiseChain(node, .engine, constant: { site.constant($0) }),
            chain.operands.allSatisfy({ shape(of: $0, site) != nil })
        else { return nil }
        return chain
    }

    private static func shape(of id: ValueID, _ site: Site) -> [Int]? {
        guard let spec = site.graph[id].type.spec, spec.dataType == .float else { return nil }
        return spec.shape
    }
}
