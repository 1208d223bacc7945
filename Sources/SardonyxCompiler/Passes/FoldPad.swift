import SardonyxGraph

/// `Pad` with zeros before a convolution becomes the convolution's own padding.
enum FoldPad: Pass {
    static let name = "fold pad"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.operatorType == "Conv", node.domain.isEmpty,
            let (position, pad) = site.producer(of: node.inputs[0]), pad.operatorType == "Pad", pad.domain.isEmpty
        else { return .none }
        guard pad.string("mode", default: "constant") == "constant" else {
            return .refused("the pad's mode is \(pad.string("mode", default: "constant"))")
        }
        guard let middle = pad.outputs[0], site.index.onlyConsumer(of: middle) == site.position else {
            return .refused("the padded value is read elsewhere too")
        }
        guard ["NOTSET", "VALID"].contains(node.string("auto_pad", default: "NOTSET")) else {
            return .refused("the convolution has auto_pad")
        }
        if pad.inputs.count > 2, pad.inputs[2] != nil {
            guard let value = site.constant(pad.inputs[2]), value.withUnsafeBytes({ $0.allSatisfy { $0 == 0 } }) else {
                return .refused("the pad's value is not known to be zero")
            }
        }
        guard let pads = site.constant(pad.inputs[1])?.integers, let rank = site.graph[middle].type.shape?.count,
            rank >= 3
        else { return .refused("the pads or the rank are not known") }
        var axes = Array(0..<rank)
        if pad.inputs.count > 3, pad.inputs[3] != nil {
            guard let given = site.constant(pad.inputs[3])?.integers else { return .refused("the axes are not known") }
            axes = given.map { $0 < 0 ? $0 + rank : $0 }
        }
        guard pads.count == 2 * axes.count, axes.allSatisfy({ (0..<rank).contains($0) }) else { return .none }
        guard pads.allSatisfy({ $0 >= 0 && $0 < 1 << 30 }) else { return .refused("the pad crops") }
        var begin = [Int](repeating: 0, count: rank)
        var end = begin
        for (index, axis) in axes.enumerated() {
            begin[axis] += pads[index]
            end[axis] += pads[index + axes.count]
        }
        guard begin[0] == 0, end[0] == 0, begin[1] == 0, end[1] == 0 else {
            return .refused("batch or channels are padded")
        }
        // VALID means no padding, whatever `pads` says.
        let given = node.string("auto_pad") == "VALID" ? nil : node.ints("pads")
        let own = given ?? [Int](repeating: 0, count: 2 * (rank - 2))
        guard own.count == 2 * (rank - 2), own.allSatisfy({ $0 >= 0 && $0 < 1 << 30 }) else { return .none }
        let total = zip(own, begin[2...] + end[2...]).map { Int64($0) + Int64($1) }

        var patch = site.patch("fold Pad into Conv", removing: [position, site.position])
        var fused = node
        fused.inputs[0] = pad.inputs[0]
        fused.attributes["pads"] = .ints(total)
        fused.attributes["auto_pad"] = nil
        patch.added = [fused]
        return .patch(patch)
    }
}
