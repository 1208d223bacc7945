import SardonyxGraph
import SardonyxOperators

/// A convolution whose window is one pixel comes before nearest upsampling by whole factors: it then has as many fewer pixels
/// to do.
///
/// Among the last passes, on graphs with concrete shapes: whether coordinates repeat pixels is seen in their numbers. Another
/// kernel may be best for the smaller map, and round otherwise.
enum MoveUpsampling: Pass {
    static let name = "move upsampling"
    static let keepsRounding = false

    static func rewrite(_ site: Site) -> Rewrite {
        // A residual has the larger map's shape.
        guard site.node.inputs.count < 4, isPointwise(site) else { return .none }
        do {
            guard let upsampling = try site.upsampling(),
                let result = site.node.outputs[0].flatMap({ site.graph[$0].type.spec })
            else { return .none }
            return .patch(patch(site, upsampling, result))
        } catch {
            return .refused(error.reason)
        }
    }

    /// Whether an output depends on the pixel at its own place alone.
    private static func isPointwise(_ site: Site) -> Bool {
        let node = site.node
        guard node.operatorType == "Conv", let shape = node.inputs[1].flatMap({ site.graph[$0].type.spec })?.shape
        else {
            return false
        }
        return shape.dropFirst(2).allSatisfy { $0 == 1 } && (node.ints("strides") ?? []).allSatisfy { $0 == 1 }
            && (node.ints("pads") ?? []).allSatisfy { $0 == 0 }
    }

    private static func patch(_ site: Site, _ upsampling: Upsampling, _ result: TensorSpec) -> Patch {
        var patch = site.patch("Conv before Resize", removing: [upsampling.position, site.position])
        var (first, second) = (site.node, upsampling.node)
        var shape = upsampling.small.shape
        shape[1] = result.shape[1]
        let small = patch.value(
            "\(first.displayName) before upsampling", type: .tensor(result.dataType, SymbolicShape(shape)))
        first.inputs[0] = upsampling.x
        first.outputs = [small]
        second.inputs[0] = small
        second.outputs = site.node.outputs
        if second.inputs.count > 3, second.inputs[3] != nil {
            // The sizes may name the channels, which are others now.
            second.inputs[3] = patch.constant(Tensor(integers: result.shape), name: "\(second.displayName).sizes")
            second.attributes["axes"] = nil
        }
        patch.added = [first, second]
        return patch
    }
}
