import SardonyxGraph
import SardonyxOperators

/// softmax(q · kᵀ · scale + biases) · v is computed without the scores in memory.
enum FuseAttention: Pass {
    static let name = "fuse attention"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.isPlainProduct, let y = node.outputs[0],
            let (position, softmax) = site.producer(of: node.inputs[0]), softmax.operatorType == "Softmax",
            softmax.domain.isEmpty, let weights = softmax.outputs[0], let shape = shape(of: weights, site),
            let v = node.inputs[1], let vShape = self.shape(of: v, site), shape.count >= 2,
            [-1, shape.count - 1].contains(softmax.int("axis", default: -1))
        else { return .none }
        guard vShape.dropLast() == shape.dropLast(2) + shape.suffix(1) else { return .none }
        guard site.index.onlyConsumer(of: weights) == site.position else {
            return .refused("the weights of the values are read elsewhere too")
        }
        guard let scores = scores(softmax.inputs[0], readBy: position, shape, site) else { return .none }
        let (q, k) = (scores.product.inputs[0], scores.product.inputs[1])
        guard let q, let k, let qShape = self.shape(of: q, site), let kShape = self.shape(of: k, site),
            qShape.count == kShape.count, qShape.dropLast(2) == kShape.dropLast(2),
            // Without queries or keys the scores' number of elements says nothing of the batch.
            qShape.dropLast(2).reduce(1, *) == shape.dropLast(2).reduce(1, *)
        else { return .none }

        var scale = scores.scale
        let queries = unscaled(q, &scale, site)
        var keys = unscaled(k, &scale, site)
        var isColumns = true
        if let source = untransposed(keys, site) {
            keys = unscaled(source, &scale, site)
            isColumns = false
        }
        var patch = site.patch("attention over \(shape[shape.count - 1]) keys")
        var fused = Node(
            FusedAttention.schema.name, domain: FusedAttention.schema.domain, opset: 1, name: node.name,
            inputs: [queries, keys, v], outputs: [y], firstOutputName: node.firstOutputName)
        fused.attributes["scale"] = .float(scale)
        fused.attributes["keys_are_columns"] = .int(isColumns ? 1 : 0)
        for ((value, batch), name) in zip(scores.addends, ["a_batch", "b_batch"]) {
            fused.inputs.append(value)
            fused.attributes[name] = .ints(batch.map(Int64.init))
        }
        patch.added = [fused]
        return .patch(patch)
    }

    private static func shape(of id: ValueID, _ site: Site) -> [Int]? {
        guard let spec = site.graph[id].type.spec, spec.dataType == .float else { return nil }
        return spec.shape
    }

    /// The product that scores are made of, and what is added to it, with the batch axes that it is added to.
    private static func scores(
        _ start: ValueID?, readBy reader: Int, _ shape: [Int], _ site: Site
    ) -> (product: Node, scale: Float, addends: [(value: ValueID, batch: [Int])])? {
        var (current, reader) = (start, reader)
        var scale: Float = 1
        var addends: [(value: ValueID, batch: [Int])] = []
        while let id = current, let (position, maker) = site.producer(of: id), maker.domain.isEmpty,
            site.index.onlyConsumer(of: id) == reader, let extents = self.shape(of: id, site),
            extents.suffix(2) == shape.suffix(2)
        {
            switch maker.operatorType {
            case "MatMul": return maker.isPlainProduct ? (maker, scale, addends) : nil
            case "Mul", "Div":
                let source = unscaled(id, &scale, site)
                if source == id { return nil }
                current = source
            // The batch axes under other names.
            case "Reshape": current = maker.inputs[0]
            // What is added before the scores are scaled would have to be scaled too.
            case "Add" where addends.count < 2 && scale == 1:
                guard let (chain, other) = operands(of: maker, extents, site) else { return nil }
                addends.append((other, Array(extents.dropLast(2))))
                current = chain
            default: return nil
            }
            reader = position
        }
        return nil
    }

    /// Of a sum the operand that comes from a product, and the other, which broadcasts to it.
    private static func operands(
        of sum: Node, _ extents: [Int], _ site: Site
    ) -> (chain: ValueID, other: ValueID)? {
        for index in 0..<2 {
            guard let chain = sum.inputs[index], let other = sum.inputs[1 - index],
                let maker = site.producer(of: chain)?.node,
                ["MatMul", "Reshape", "Add", "Mul", "Div"].contains(maker.operatorType),
                shape(of: chain, site) == extents, let added = shape(of: other, site), added.count <= extents.count,
                zip(added.reversed(), extents.reversed()).allSatisfy({ $0 == 1 || $0 == $1 })
            else { continue }
            return (chain, other)
        }
        return nil
    }

    /// The value before it was multiplied with or divided by one constant number, which goes into the scale.
    private static func unscaled(_ id: ValueID, _ scale: inout Float, _ site: Site) -> ValueID {
        guard let node = site.producer(of: id)?.node, node.domain.isEmpty,
            ["Mul", "Div"].contains(node.operatorType)
        else { return id }
        for index in 0..<(node.operatorType == "Mul" ? 2 : 1) {
            guard let value = node.inputs[index], let factor = site.constant(node.inputs[1 - index]),
                factor.dataType == .float, factor.count == 1, shape(of: value, site) == shape(of: id, site)
            else { continue }
            let number = factor.scalars(Float.self)[0]
            // What is no ordinary number keeps its own step, and so its own rounding.
            guard number.isNormal, abs(number) < 1e10, abs(number) > 1e-10 else { continue }
            scale *= node.operatorType == "Mul" ? number : 1 / number
            return value
        }
        return id
    }

    /// The value before its last two axes were exchanged.
    private static func untransposed(_ id: ValueID, _ site: Site) -> ValueID? {
        guard let node = site.producer(of: id)?.node, node.operatorType == "Transpose", node.domain.isEmpty,
            let axes = node.ints("perm"), axes.count >= 2
        else { return nil }
        let rank = axes.count
        guard axes == Array(0..<rank - 2) + [rank - 1, rank - 2] else { return nil }
        return node.inputs[0]
    }
}
